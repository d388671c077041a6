namespace ViralEngine.Infrastructure.Tests;

/// <summary>The tests that share one compilation.</summary>
[CollectionDefinition(nameof(Deployments))]
public sealed class CompiledOnce : ICollectionFixture<Deployments>;

/// <summary>Every deployment that the parameter files can make, compiled once for all tests.</summary>
public sealed class Deployments : IAsyncLifetime
{
    private readonly Dictionary<string, Deployment> compiled = [];

    /// <summary>Names of the deployments: parameter file, and what its environment asks for.</summary>
    public static TheoryData<string> Names => ["azd", "dev", "prod", "prod with scheduler"];

    internal Deployment this[string name] => compiled[name];

    public async Task InitializeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        var plain = new Dictionary<string, string>
        {
            ["VIRAL_ALERT_EMAIL"] = "ops@example.com",
            ["VIRAL_GITHUB_REPOSITORY"] = "example/viral-engine",
            ["VIRAL_AUTH_AUTHORITY"] = "https://login.example.com",
            ["VIRAL_AUTH_AUDIENCE"] = "viral",
            ["VIRAL_MY_ADDRESS"] = "192.0.2.1",
        };
        var scheduled = new Dictionary<string, string>(plain) { ["VIRAL_DURABLE_STORAGE"] = "SchedulerConsumption" };

        compiled["azd"] = await Deployment.CompileAsync("main.bicepparam", plain, limit.Token);
        compiled["dev"] = await Deployment.CompileAsync("main.dev.bicepparam", plain, limit.Token);
        compiled["prod"] = await Deployment.CompileAsync("main.prod.bicepparam", plain, limit.Token);
        compiled["prod with scheduler"] = await Deployment.CompileAsync("main.prod.bicepparam", scheduled, limit.Token);
    }

    public Task DisposeAsync() => Task.CompletedTask;
}
