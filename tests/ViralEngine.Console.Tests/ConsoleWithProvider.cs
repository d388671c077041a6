using ViralEngine.Testing;

namespace ViralEngine.Console.Tests;

/// <summary>The app where people sign in at an OpenID Connect provider.</summary>
public sealed class ConsoleWithProvider : ConsoleUnderTest
{
    private readonly TestPostgres postgres = new();
    private AppProcess? app;

    public OidcProvider Provider { get; private set; } = null!;

    /// <summary>From now on what the provider issues holds for so long.</summary>
    public Task ServeAsync(TimeSpan tokenLife) =>
        Provider.ServeAsync(tokenLife, new Uri(App.Address, "/console/sign-in/callback"));

    protected override async Task EndAppAsync()
    {
        if (app is not null)
            await app.DisposeAsync();
        if (Provider is not null)
            await Provider.DisposeAsync();
        await postgres.DisposeAsync();
    }

    protected override async Task<(AppProcess App, TestPostgres Postgres)> StartAppAsync()
    {
        await postgres.InitializeAsync();
        Provider = await OidcProvider.StartAsync();
        app = AppProcess.Create(new AppSettings(postgres)
            .With("Auth:Authority", Provider.Issuer)
            .With("SignIn:ClientId", OidcProvider.ConsoleClient)
            .With("SignIn:Resource", "urn:viral-engine")
            .With("SignIn:Name", "the provider"));
        await Provider.ServeAsync(TimeSpan.FromMinutes(5), new Uri(app.Address, "/console/sign-in/callback"));
        await app.RestartAsync();
        return (app, postgres);
    }
}
