using System.Net;
using Xunit;

namespace ViralEngine.Testing;

/// <summary>
/// What black-box tests speak to: the instance that VIRAL_URL names, with the platform key of the environment, or else
/// the one that they share. They know nothing of it but its API.
/// </summary>
public sealed class ApiUnderTest : IAsyncLifetime
{
    private static readonly string? Url = Environment.GetEnvironmentVariable("VIRAL_URL");
    private RunningApp? running;

    public Uri Address => running?.App.Address ?? new Uri(Url!);

    private string PlatformKey => running is not null
        ? AppSettings.PlatformKey
        : Environment.GetEnvironmentVariable("VIRAL_PLATFORM_KEY")
            ?? throw new InvalidOperationException(
                "VIRAL_PLATFORM_KEY is not set: the tests create their organizations with it.");

    public async Task InitializeAsync() => running = Url is null ? await SharedApp.StartedAsync() : null;

    public Task DisposeAsync() => running is null ? Task.CompletedTask : SharedApp.CheckAsync();

    /// <summary>A client without a tenant: with the given credential, or none.</summary>
    public ApiClient NewClient(string? credential = null) =>
        new(Address, credential, () => running?.App.Output ?? "(not ours)");

    public ApiClient NewPlatformClient() => NewClient(PlatformKey);

    /// <summary>A fresh organization, so that no test meets another's rows.</summary>
    public Task<TestTenant> NewTenantAsync(string plan = "enterprise") =>
        TestTenant.CreateAsync(Address, PlatformKey, plan);
}

/// <summary>An organization of a test's own. Dispose it.</summary>
public sealed class TestTenant : IDisposable
{
    private readonly string platformKey;

    private TestTenant(Guid id, string ownerKey, ApiClient owner, string platformKey)
    {
        this.platformKey = platformKey;
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
        var made = (await platform.PostAsync("/api/organizations", new { name = "Test", plan }))
            .Expect(HttpStatusCode.Created).Json;
        var key = made.GetProperty("api_key").GetProperty("key").GetString()!;
        return new TestTenant(made.GetProperty("id").GetGuid(), key, new ApiClient(address, key), platformKey);
    }

    /// <summary>The same tenant at another instance.</summary>
    public ApiClient At(AppProcess instance) => instance.NewClient(OwnerKey);

    /// <summary>A new API key of the role.</summary>
    public async Task<string> NewKeyAsync(string role) =>
        (await Owner.PostAsync($"/api/organizations/{Id}/api-keys", new { name = role, role }))
            .Expect(HttpStatusCode.Created).Json.GetProperty("key").GetString()!;

    /// <summary>A client that has the role.</summary>
    public async Task<ApiClient> NewClientAsync(string role) => new(Owner.Address, await NewKeyAsync(role));

    /// <summary>
    /// A client that has the role and is a person of its own: the platform made its key, nobody of the tenant.
    /// </summary>
    public async Task<ApiClient> NewPersonAsync(string role)
    {
        using var platform = new ApiClient(Owner.Address, platformKey);
        var key = (await platform.PostAsync($"/api/organizations/{Id}/api-keys", new { name = role, role }))
            .Expect(HttpStatusCode.Created).Json.GetProperty("key").GetString()!;
        return new ApiClient(Owner.Address, key);
    }

    /// <summary>A member with a token of their own, who has accepted.</summary>
    public async Task<ApiClient> NewMemberAsync(string role, string? subject = null)
    {
        subject ??= $"person-{Guid.NewGuid():n}";
        var id = (await Owner.PostAsync($"/api/organizations/{Id}/members", new { subject, role }))
            .Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString();
        var person = new ApiClient(Owner.Address, DevelopmentToken.Create(subject));
        (await person.PostAsync($"/api/invitations/{id}/accept")).Expect(HttpStatusCode.OK);
        return person;
    }

    /// <summary>An echo agent with settings of its own.</summary>
    public Task<string> NewEchoAsync(object settings) => NewAgentAsync("echo", settings);

    /// <summary>An agent that calls a service of the test's.</summary>
    public Task<string> NewHttpAsync(object settings) => NewAgentAsync("http", settings);

    private async Task<string> NewAgentAsync(string kind, object settings) =>
        (await Owner.PostAsync("/api/agents", new { name = $"{kind}-{Guid.NewGuid():n}", kind, settings }))
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
