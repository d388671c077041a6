using System.Net;
using Xunit;

namespace ViralEngine.Testing;

/// <summary>
/// What black-box tests speak to: the instance that VIRAL_URL names, with the platform key of the environment, or else one
/// started for the class. They know nothing of it but its API.
/// </summary>
public sealed class ApiUnderTest : IAsyncLifetime
{
    private readonly RunningApp? running = Environment.GetEnvironmentVariable("VIRAL_URL") is null ? new RunningApp() : null;

    public Uri Address => running?.App.Address ?? new Uri(Environment.GetEnvironmentVariable("VIRAL_URL")!);

    private string PlatformKey => running is not null
        ? AppSettings.PlatformKey
        : Environment.GetEnvironmentVariable("VIRAL_PLATFORM_KEY")
            ?? throw new InvalidOperationException("VIRAL_PLATFORM_KEY is not set: the tests create their organizations with it.");

    public Task InitializeAsync() => running?.InitializeAsync() ?? Task.CompletedTask;

    public Task DisposeAsync() => running?.DisposeAsync() ?? Task.CompletedTask;

    /// <summary>A client without a tenant: with the given credential, or none.</summary>
    public ApiClient NewClient(string? credential = null) => new(Address, credential, () => running?.App.Output ?? "(not ours)");

    public ApiClient NewPlatformClient() => NewClient(PlatformKey);

    /// <summary>A fresh organization, so that no test meets another's rows.</summary>
    public Task<TestTenant> NewTenantAsync(string plan = "enterprise") => TestTenant.CreateAsync(Address, PlatformKey, plan);
}

/// <summary>An organization of a test's own. Dispose it.</summary>
public sealed class TestTenant : IDisposable
{
    private TestTenant(Guid id, string ownerKey, ApiClient owner)
    {
        Id = id;
        OwnerKey = ownerKey;
        Owner = owner;
    }

    public Guid Id { get; }

    public string OwnerKey { get; }

    /// <summary>Speaks with the organization's first key, an owner's.</summary>
    public ApiClient Owner { get; }

    public static async Task<TestTenant> CreateAsync(Uri address, string platformKey, string plan = "enterprise")
    {
        using var platform = new ApiClient(address, platformKey);
        var made = (await platform.PostAsync("/api/organizations", new { name = "Test", plan })).Expect(HttpStatusCode.Created).Json;
        var key = made.GetProperty("api_key").GetProperty("key").GetString()!;
        return new TestTenant(made.GetProperty("id").GetGuid(), key, new ApiClient(address, key));
    }

    /// <summary>The same tenant at another instance.</summary>
    public ApiClient At(AppProcess instance) => instance.NewClient(OwnerKey);

    /// <summary>A new API key of the role.</summary>
    public async Task<string> NewKeyAsync(string role) =>
        (await Owner.PostAsync($"/api/organizations/{Id}/api-keys", new { name = role, role }))
            .Expect(HttpStatusCode.Created).Json.GetProperty("key").GetString()!;

    /// <summary>A client that has the role.</summary>
    public async Task<ApiClient> NewClientAsync(string role) => new(Owner.Address, await NewKeyAsync(role));

    /// <summary>An echo agent with settings of its own.</summary>
    public async Task<string> NewEchoAsync(object settings) =>
        (await Owner.PostAsync("/api/agents", new { name = $"echo-{Guid.NewGuid():n}", kind = "echo", settings }))
            .Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString()!;

    public async Task<string> SubmitAsync(object task) =>
        (await Owner.PostAsync("/api/tasks", task)).Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString()!;

    /// <summary>Waits until the task is in the state, and returns it.</summary>
    public async Task<ApiResponse> WaitForAsync(string taskId, string status) =>
        await Eventually.GetAsync(
            () => Owner.GetAsync($"/api/tasks/{taskId}"),
            answer => answer.Json.GetProperty("status").GetString() == status,
            $"task {taskId} to be {status}");

    public void Dispose() => Owner.Dispose();
}
