using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using ViralEngine.Core.Organizations;

namespace ViralEngine.Dev;

/// <summary>
/// Makes the demo organization through the API, with a key for its owner, one for an approver and a member for tokens,
/// and prints how to reach it, for a shell to source. What the environment names already is kept while it works.
/// </summary>
internal sealed class DemoCommand(HttpClient http) : IDisposable
{
    /// <summary>The subject of <c>./dev token</c>: a member of the demo organization.</summary>
    public const string Subject = "developer";

    public static async Task<int> RunAsync(CancellationToken ct)
    {
        var url = CommandOptions.RequireSecret("VIRAL_URL");
        var platformKey = CommandOptions.RequireSecret("VIRAL_PLATFORM_KEY");
        using var demo = new DemoCommand(new HttpClient { BaseAddress = new Uri(url) });
        var known = new Keys(Known("VIRAL_TENANT"), Known("VIRAL_API_KEY"), Known("VIRAL_APPROVER_KEY"));
        var keys = await demo.StillWorkAsync(known, ct) ? known : await demo.CreateAsync(platformKey, ct);
        Console.WriteLine(
            $"""
            VIRAL_URL={url}
            VIRAL_TENANT={keys.Tenant}
            VIRAL_API_KEY={keys.Owner}
            VIRAL_APPROVER_KEY={keys.Approver}
            VIRAL_PLATFORM_KEY={platformKey}
            """);
        return 0;

        static string Known(string name) => Environment.GetEnvironmentVariable(name) ?? "";
    }

    public void Dispose() => http.Dispose();

    private async Task<bool> StillWorkAsync(Keys known, CancellationToken ct)
    {
        foreach (var key in new[] { known.Owner, known.Approver })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/organizations/{known.Tenant}");
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
            if (key.Length == 0)
                return false;
            using var response = await http.SendAsync(request, ct);
            if (response.StatusCode != HttpStatusCode.OK)
                return false;
        }

        return true;
    }

    private async Task<Keys> CreateAsync(string platformKey, CancellationToken ct)
    {
        var organization = await PostAsync(
            platformKey, "/api/organizations", new { name = "Demo", plan = "enterprise" }, ct);
        var id = organization.GetProperty("id").GetString()!;
        var owner = organization.GetProperty("api_key").GetProperty("key").GetString()!;
        var approver = await PostAsync(
            owner, $"/api/organizations/{id}/api-keys", new { name = "approver", role = "approver" }, ct);
        var invitation = await PostAsync(
            owner, $"/api/organizations/{id}/members", new { subject = Subject, role = "owner" }, ct);
        var person = TokenCommand.Create(
            Subject, new AuthOptions().Audience, TimeSpan.FromMinutes(1), TimeProvider.System);
        await PostAsync(person, $"/api/invitations/{invitation.GetProperty("id").GetString()}/accept", new { }, ct);
        return new Keys(id, owner, approver.GetProperty("key").GetString()!);
    }

    private async Task<JsonElement> PostAsync(string credential, string path, object body, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", credential);
        using var response = await http.SendAsync(request, ct);
        var text = await response.Content.ReadAsStringAsync(ct);
        return response.IsSuccessStatusCode
            ? JsonElement.Parse(text)
            : throw new UsageException(
                $"the demo organization could not be created: POST {path} returned {(int)response.StatusCode} {text}");
    }

    private sealed record Keys(string Tenant, string Owner, string Approver);
}
