using System.Net;
using Npgsql;
using ViralEngine.Testing;

namespace ViralEngine.Bench;

/// <summary>One instance of the app, a database, and an organization to work for.</summary>
internal sealed class BenchStack : IAsyncDisposable
{
    private BenchStack(TestPostgres postgres, AppProcess app, Guid tenant, string apiKey)
    {
        Postgres = postgres;
        App = app;
        Tenant = tenant;
        ApiKey = apiKey;
    }

    public TestPostgres Postgres { get; }

    public AppProcess App { get; }

    public Guid Tenant { get; }

    public string ApiKey { get; }

    /// <summary>With the limits off: they are not what is measured.</summary>
    public static AppSettings Settings(TestPostgres postgres) => new AppSettings(postgres)
        .With("DOTNET_TieredPGO", null)
        .With("DOTNET_TC_CallCountThreshold", null)
        .With("DOTNET_TC_CallCountingDelayMs", null)
        .With("Logging:LogLevel:Default", "Error")
        .With("ConnectionStrings:Postgres", postgres.AppConnection + ";Max Auto Prepare=100;Maximum Pool Size=20")
        .With("Limits:Enabled", "false")
        // wrk leaves in the middle of its last requests.
        .Expecting("Timed out waiting for the function start call");

    public static async Task<BenchStack> StartAsync(TestPostgres postgres)
    {
        var app = await AppProcess.StartAsync(Settings(postgres));
        using var platform = app.NewClient(AppSettings.PlatformKey);
        var made = (await platform.PostAsync("/api/organizations", new { name = "Bench", plan = "enterprise" }))
            .Expect(HttpStatusCode.Created).Json;
        return new BenchStack(
            postgres, app, made.GetProperty("id").GetGuid(),
            made.GetProperty("api_key").GetProperty("key").GetString()!);
    }

    /// <summary>
    /// Not the tests' client: that checks every answer against the API's document, and its time would count as the
    /// app's.
    /// </summary>
    public HttpClient NewPlainClient() => new()
    {
        BaseAddress = App.Address,
        DefaultRequestHeaders = { Authorization = new("Bearer", ApiKey) },
    };

    /// <summary>Runs a statement as one who sees everything.</summary>
    public async Task<object?> ScalarAsync(string sql, params object[] args)
    {
        await using var connection = new NpgsqlConnection(Postgres.AdminConnection);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var arg in args)
            command.Parameters.Add(new() { Value = arg });
        return await command.ExecuteScalarAsync();
    }

    public async ValueTask DisposeAsync() => await App.DisposeAsync();
}
