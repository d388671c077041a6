using System.Net.Http.Json;

namespace ViralEngine.LocalHost.Tests.Contract;

/// <summary>An orchestration of the sample, as the app's client sees it.</summary>
internal sealed record Instance(
    string Name,
    string Status,
    string? Output,
    string? CustomStatus,
    string? Failure,
    string? FailureType,
    string? Inner);

internal static class SampleOrchestrations
{
    public static async Task StartAsync(SampleApp app, string name, string id, string? input = null)
    {
        var query = input is null ? "" : "?input=" + Uri.EscapeDataString(input);
        using var started = await app.Client.PostAsync($"api/orchestrations/{name}/{id}{query}", null);
        Assert.True(started.IsSuccessStatusCode, $"{started.StatusCode} {await started.Content.ReadAsStringAsync()}");
    }

    public static async Task<Instance> StatusAsync(SampleApp app, string id) =>
        (await app.Client.GetFromJsonAsync<Instance>($"api/orchestrations/{id}"))!;

    public static async Task<Instance> FinishedAsync(SampleApp app, string id) =>
        (await app.Client.GetFromJsonAsync<Instance>($"api/orchestrations/{id}?wait"))!;
}
