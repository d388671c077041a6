namespace ViralEngine.Infrastructure.Tests;

/// <summary>The tests that share one compilation.</summary>
[CollectionDefinition(nameof(Deployments))]
public sealed class CompiledOnce : ICollectionFixture<Deployments>;

/// <summary>Every deployment that the parameter files can make, compiled once for all tests.</summary>
public sealed class Deployments : IAsyncLifetime
{
    private readonly Dictionary<string, Deployment> compiled = [];

    /// <summary>Names of the deployments: the size, and what its environment asks for beyond it.</summary>
    public static TheoryData<string> Names => ["try", "dev", "prod", "prod with everything"];

    internal Deployment this[string name] => compiled[name];

    public async Task InitializeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(10));
        var everything = new Dictionary<string, string>
        {
            // Names are in small letters all the same.
            ["AZURE_ENV_NAME"] = "Prod",
            ["VIRAL_OPERATOR_TYPE"] = "ServicePrincipal",
            ["VIRAL_DURABLE_STORAGE"] = "SchedulerConsumption",
            ["VIRAL_FIREWALL"] = "Prevention",
            ["VIRAL_AUDIT_POLICIES"] = "true",
            ["VIRAL_GITHUB_OWNER_ID"] = "123",
            ["VIRAL_GITHUB_REPOSITORY_ID"] = "456",
            ["VIRAL_POSTGRES_SERVER"] = "psql-viral-prod-at-20261124100000",
            ["VIRAL_POSTGRES_STORAGE_GB"] = "512",
            ["VIRAL_TASK_HUB"] = "viralprodAt20261124100000",
        };
        var all = await Task.WhenAll(
            CompileAsync("try", [], limit.Token),
            CompileAsync("dev", [], limit.Token),
            CompileAsync("prod", [], limit.Token),
            CompileAsync("prod", everything, limit.Token));

        compiled["try"] = all[0];
        compiled["dev"] = all[1];
        compiled["prod"] = all[2];
        compiled["prod with everything"] = all[3];
    }

    public Task DisposeAsync() => Task.CompletedTask;

    private static Task<Deployment> CompileAsync(
        string size, Dictionary<string, string> more, CancellationToken ct)
    {
        var environment = new Dictionary<string, string>
        {
            ["AZURE_ENV_NAME"] = size,
            ["VIRAL_SIZE"] = size,
            ["VIRAL_ALERT_EMAIL"] = "ops@example.com",
            ["VIRAL_BUDGET_START"] = "2026-11-01",
            ["VIRAL_GITHUB_REPOSITORY"] = "example/viral-engine",
            ["VIRAL_AUTH_AUTHORITY"] = "https://login.example.com",
            ["VIRAL_AUTH_AUDIENCE"] = "viral",
            ["VIRAL_OPERATOR_OBJECT_ID"] = "00000000-0000-0000-0000-0000000000aa",
            ["VIRAL_OPERATOR_NAME"] = "olga@example.com",
            ["VIRAL_SECRETS_EXPIRE_AT"] = "1795651200",
            ["VIRAL_PLATFORM_KEY"] = "a-platform-key",
            ["VIRAL_SECRETS_KEY"] = "k1:a-key",
        };
        foreach (var (name, value) in more)
            environment[name] = value;
        return Deployment.CompileAsync(environment, ct);
    }
}
