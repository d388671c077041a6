using System.Net;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Organizations;

/// <summary>
/// The app with a real OpenID Connect provider as its authority, and a tenant whose viewer the provider's client is.
/// </summary>
public sealed class OidcApp : IAsyncLifetime
{
    private readonly TestPostgres postgres = new();
    private AppProcess? app;

    public OidcProvider Provider { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        await postgres.InitializeAsync();
        Provider = await OidcProvider.StartAsync();
        app = await AppProcess.StartAsync(
            new AppSettings(postgres).With("Auth:Authority", Provider.Issuer).With("Auth:KeyRefreshSeconds", "1"));
        using var tenant = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        var invitation = (await tenant.Owner.PostAsync(
            $"/api/organizations/{tenant.Id}/members", new { subject = OidcProvider.Subject, role = "viewer" }))
            .Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString();
        using var person = app.NewClient(await Provider.IssueAsync());
        (await person.PostAsync($"/api/invitations/{invitation}/accept")).Expect(HttpStatusCode.OK);
    }

    public async Task AssertAcceptedAsync(string token)
    {
        using var client = app!.NewClient(token);

        (await client.GetAsync("/api/tasks")).Expect(HttpStatusCode.OK);
        (await client.PostAsync("/api/tasks", new { agent_id = "echo", description = "more than a viewer may" }))
            .ExpectProblem(HttpStatusCode.Forbidden);
    }

    public async Task AssertRefusedAsync(string token, string why)
    {
        using var client = app!.NewClient(token);

        var answer = await client.GetAsync("/api/tasks");

        Assert.Equal(why, answer.ExpectProblem(HttpStatusCode.Unauthorized).Detail);
        Assert.Equal("Bearer realm=\"viral-engine\", error=\"invalid_token\"", answer.Header("WWW-Authenticate"));
    }

    public async Task DisposeAsync()
    {
        if (app is not null)
            await app.DisposeAsync();
        if (Provider is not null)
            await Provider.DisposeAsync();
        await postgres.DisposeAsync();
    }
}
