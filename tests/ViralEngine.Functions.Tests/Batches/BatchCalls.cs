using System.Net;
using System.Text;
using System.Text.Json;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Batches;

/// <summary>What tests ask of batches.</summary>
internal static class BatchCalls
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(4);

    public static async Task<string> SubmitBatchAsync(this ApiClient api, object batch) =>
        (await api.PostAsync("/api/batches", batch)).Expect(HttpStatusCode.Accepted).Json.GetProperty("id")
            .GetString()!;

    public static Task<ApiResponse> SendLinesAsync(this ApiClient api, string query, string lines) =>
        api.SendBytesAsync(
            HttpMethod.Post, $"/api/batches?{query}", Encoding.UTF8.GetBytes(lines), "application/x-ndjson");

    /// <summary>A batch of many items, sent as NDJSON: <c>item 1</c> and so on.</summary>
    public static async Task<string> SubmitManyAsync(
        this ApiClient api, int items, string agent = "echo", string settings = "")
    {
        var lines = new StringBuilder();
        for (var i = 1; i <= items; i++)
            lines.Append("{\"description\":\"item ").Append(i).Append("\"}\n");
        return (await api.SendLinesAsync($"name=many&agent_id={agent}{settings}", lines.ToString()))
            .Expect(HttpStatusCode.Accepted).Json.GetProperty("id").GetString()!;
    }

    public static async Task<JsonElement> GetBatchAsync(this ApiClient api, string id) =>
        (await api.GetAsync($"/api/batches/{id}")).Expect(HttpStatusCode.OK).Json;

    public static Task<JsonElement> WaitForBatchAsync(this ApiClient api, string id, string status) =>
        api.WaitForBatchAsync(
            id, batch => batch.GetProperty("status").GetString() == status, $"batch {id} to be {status}");

    public static Task<JsonElement> WaitForBatchAsync(
        this ApiClient api, string id, Func<JsonElement, bool> wanted, string what) =>
        Eventually.GetAsync(() => api.GetBatchAsync(id), wanted, what, Bound);

    public static int Count(this JsonElement batch, string name) =>
        batch.GetProperty("counts").GetProperty(name).GetInt32();

    public static async Task<List<JsonElement>> ResultsAsync(this ApiClient api, string id, string status = "") =>
    [
        .. (await api.GetAsync($"/api/batches/{id}/results{(status.Length == 0 ? "" : $"?status={status}")}"))
            .Expect(HttpStatusCode.OK).Json.GetProperty("results").EnumerateArray(),
    ];

    public static async Task<List<(string Type, JsonElement Data)>> EventsAsync(this ApiClient api, string id)
    {
        var events = new List<(string, JsonElement)>();
        var number = 0;
        await foreach (var item in api.StreamAsync($"/api/batches/{id}/stream"))
        {
            Assert.Equal((++number).ToString(System.Globalization.CultureInfo.InvariantCulture), item.EventId);
            events.Add((item.EventType, JsonDocument.Parse(item.Data).RootElement.GetProperty("data")));
        }

        return events;
    }
}
