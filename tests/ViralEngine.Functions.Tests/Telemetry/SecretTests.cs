using System.Net;
using Microsoft.AspNetCore.Http;
using Npgsql;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Telemetry;

public sealed class SecretTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    private const string ProviderKey = "sk-hush-provider-key";
    private const string HeaderSecret = "hush-header-of-a-webhook";
    private const string UrlSecret = "hush-in-a-url";

    [Fact]
    public async Task No_secret_is_in_what_the_app_logs_traces_measures_or_audits()
    {
        // It says back what it was sent, as unkind providers do.
        await using var provider = await LoopbackServer.StartAsync(http =>
        {
            http.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return http.Response.WriteAsync($"Wrong key: {http.Request.Headers.Authorization}");
        });
        await using var receiver = await WebhookReceiver.StartAsync(500);
        await using var collector = await OtlpReceiver.StartAsync();
        await using var app = await AppProcess.StartAsync(
            collector.Observe(new AppSettings(postgres)).With("Logging:LogLevel:Default", "Trace"));
        using var tenant = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        var endpoint = (await tenant.Owner.PostAsync(
            "/api/webhooks",
            new
            {
                url = $"{receiver.Url}?token={UrlSecret}",
                headers = new Dictionary<string, string> { ["X-Secret"] = HeaderSecret }
            }))
            .Expect(HttpStatusCode.Created).Json;
        var rotated = (
            await tenant.Owner.PostAsync($"/api/webhooks/{endpoint.GetProperty("id").GetString()}/rotate-secret"))
            .Expect(HttpStatusCode.OK).Json;
        var agent = (await tenant.Owner.PostAsync("/api/agents", new
        {
            name = "model",
            kind = "openai",
            api_key = ProviderKey,
            settings = new { base_url = provider.Url, model = "m" },
        })).Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString()!;

        var task = await tenant.SubmitAsync(new { agent_id = agent, description = "x" });
        await tenant.WaitForAsync(task, "failed");
        await receiver.WaitForAsync(1);
        using (var stranger = app.NewClient("vk_hush-wrong-key"))
            (await stranger.GetAsync("/api/tasks")).ExpectProblem(HttpStatusCode.Unauthorized);
        await Eventually.TrueAsync(
            () => collector.TextOf("logs").Contains(task, StringComparison.Ordinal) && collector.TextOf("traces")
                .Contains("agent.call", StringComparison.Ordinal),
            "logs and traces to arrive");
        await app.TerminateAsync();

        string[] secrets =
        [
            AppSettings.PlatformKey, tenant.OwnerKey, "vk_hush-wrong-key", ProviderKey, HeaderSecret, UrlSecret,
            Bare(endpoint.GetProperty("secret").GetString()!), Bare(rotated.GetProperty("secret").GetString()!),
            new NpgsqlConnectionStringBuilder(postgres.AppConnection).Password!,
        ];
        (string Where, string Text)[] places =
        [
            ("logs", collector.TextOf("logs")), ("traces", collector.TextOf("traces")),
            ("metrics", collector.TextOf("metrics")), ("output", app.Output), ("audit log", await AuditLogAsync()),
        ];
        Assert.All(places, place => Assert.NotEmpty(place.Text));
        Assert.All(secrets, secret => Assert.All(
            places, place => Assert.False(
                place.Text.Contains(secret, StringComparison.Ordinal), $"'{secret}' is in the {place.Where}")));
    }

    private static string Bare(string secret) => secret[(secret.IndexOf('_', StringComparison.Ordinal) + 1)..];

    private async Task<string> AuditLogAsync()
    {
        await using var connection = new NpgsqlConnection(postgres.AdminConnection);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "SELECT string_agg(entry::text, ' ') FROM viral.audit_log AS entry", connection);
        return (string)(await command.ExecuteScalarAsync())!;
    }
}
