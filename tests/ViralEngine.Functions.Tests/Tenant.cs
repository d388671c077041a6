using System.Net;
using System.Text.Json;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests;

/// <summary>An organization of a test's own, made through the API.</summary>
/// <param name="Key">Its owner's API key.</param>
internal sealed record Tenant(string Id, string Key)
{
    public static async Task<Tenant> CreateAsync(AppProcess app, string plan = "free")
    {
        using var platform = app.NewClient(AppSettings.PlatformKey);
        var made = (await platform.PostAsync("/api/organizations", new { name = "Test", plan })).Expect(HttpStatusCode.Created).Json;
        return new Tenant(made.GetProperty("id").GetString()!, made.GetProperty("api_key").GetProperty("key").GetString()!);
    }

    /// <summary>Everything a list holds, page by page.</summary>
    public static async Task<List<JsonElement>> ListAsync(ApiClient api, string path, string noun)
    {
        var all = new List<JsonElement>();
        string? cursor = null;
        do
        {
            var page = (await api.GetAsync($"{path}?limit=100{(cursor is null ? "" : $"&cursor={cursor}")}")).Expect(HttpStatusCode.OK).Json;
            all.AddRange(page.GetProperty(noun).EnumerateArray());
            cursor = page.GetProperty("next_cursor").GetString();
        }
        while (cursor is not null);
        return all;
    }
}
