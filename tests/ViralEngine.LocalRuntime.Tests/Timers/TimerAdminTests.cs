using System.Net;
using System.Net.Http.Json;
using ViralEngine.LocalRuntime.Tests.Hosting;

namespace ViralEngine.LocalRuntime.Tests.Timers;

public sealed class TimerAdminTests(ScratchDatabase database) : IClassFixture<ScratchDatabase>
{
    private readonly TimerRuns runs = new();

    [Fact]
    public async Task Runs_a_timer_by_hand_for_the_master_key()
    {
        await using var app = await TimerApp.StartAsync<EveryHalfHour>(
            database, runs, settings: ("LocalRuntime:MasterKey", "open sesame"));

        var answer = await PostAsync(app, "tick", "open sesame");
        var run = await runs.NextAsync();

        Assert.Equal(HttpStatusCode.Accepted, answer);
        Assert.False(run.IsPastDue);
    }

    [Theory]
    [InlineData("open sesame", "Tick", "wrong", HttpStatusCode.Unauthorized)]
    [InlineData("open sesame", "Tick", null, HttpStatusCode.Unauthorized)]
    [InlineData("open sesame", "Tock", "open sesame", HttpStatusCode.NotFound)]
    [InlineData("", "Tick", "", HttpStatusCode.NotFound)]
    public async Task Runs_nothing_without_it(string masterKey, string name, string? key, HttpStatusCode expected)
    {
        await using var app = await TimerApp.StartAsync<EveryHalfHour>(
            database, runs, settings: ("LocalRuntime:MasterKey", masterKey));

        Assert.Equal(expected, await PostAsync(app, name, key));
        Assert.Equal(0, runs.Count);
    }

    [Fact]
    public async Task Serves_requests_while_the_schedule_cannot_be_reached()
    {
        await using var app = await TimerApp.StartAsync<EveryHalfHour>(
            database,
            runs,
            settings: [
                ("ConnectionStrings:Postgres", "Host=127.0.0.1;Port=1;Username=nobody"),
                ("LocalRuntime:MasterKey", "open sesame")]);

        Assert.Equal(HttpStatusCode.Accepted, await PostAsync(app, "Tick", "open sesame"));
        await runs.NextAsync();
    }

    private static async Task<HttpStatusCode> PostAsync(RunningApp app, string name, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/admin/functions/{name}");
        request.Content = JsonContent.Create(new { input = (string?)null });
        if (key is not null)
            request.Headers.Add("x-functions-key", key);
        using var response = await app.Client.SendAsync(request);
        return response.StatusCode;
    }
}
