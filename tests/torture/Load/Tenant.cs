using System.Net;
using ViralEngine.Testing;
using ViralEngine.Torture.Stack;

namespace ViralEngine.Torture.Load;

/// <summary>An organization that works while things break: its keys, its agents and its webhook.</summary>
internal sealed record Tenant(
    string Name, Guid Id, string Key, IReadOnlyList<string> ApproverKeys, string Provider, string Slow, Guid Webhook,
    string WebhookSecret)
{
    /// <param name="budget">US dollars that it may spend in a month; null: no budget.</param>
    public static async Task<Tenant> CreateAsync(World world, string name, decimal? budget)
    {
        var app = world.Instances[0].App;
        using var platform = app.NewClient(AppSettings.PlatformKey);
        var made = (await platform.PostAsync("/api/organizations", new { name, plan = "enterprise" }))
            .Expect(HttpStatusCode.Created).Json;
        var id = made.GetProperty("id").GetGuid();
        var key = made.GetProperty("api_key").GetProperty("key").GetString()!;
        var approvers = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            // Of the platform's making: each is a person of its own.
            approvers.Add((await platform.PostAsync(
                $"/api/organizations/{id}/api-keys", new { name = $"approver {i}", role = "approver" }))
                .Expect(HttpStatusCode.Created).Json.GetProperty("key").GetString()!);
        }

        using var owner = app.NewClient(key);
        var provider = await NewAgentAsync(
            owner, new { name = "provider", kind = "http", settings = world.Provider.SettingsFor(name) });
        var slow = await NewAgentAsync(
            owner, new { name = "slow", kind = "echo", settings = new { delay_ms_per_chunk = 30 } });
        var webhook = (await owner.PostAsync(
            "/api/webhooks", new { url = world.Receiver.UrlFor(name), event_types = new[] { "*" } }))
            .Expect(HttpStatusCode.Created).Json;
        if (budget is { } most)
            (await owner.PutAsync($"/api/organizations/{id}/budget", new { monthly_usd = most }))
                .Expect(HttpStatusCode.OK);
        return new Tenant(
            name, id, key, approvers, provider, slow, webhook.GetProperty("id").GetGuid(),
            webhook.GetProperty("secret").GetString()!);
    }

    private static async Task<string> NewAgentAsync(ApiClient owner, object agent) =>
        (await owner.PostAsync("/api/agents", agent)).Expect(HttpStatusCode.Created).Json.GetProperty("id")
            .GetString()!;
}
