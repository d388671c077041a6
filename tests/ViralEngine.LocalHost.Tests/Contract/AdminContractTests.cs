using System.Net;
using System.Text;
using System.Text.Json;
using ViralEngine.LocalHost.Tests.Hosting;

namespace ViralEngine.LocalHost.Tests.Contract;

/// <summary>The admin routes, and the timers that they run by hand.</summary>
public sealed class AdminContractTests(SampleFixture sample) : IClassFixture<SampleFixture>
{
    private readonly SampleApp app = sample.App;

    [Theory]
    [InlineData("admin/host/status")]
    [InlineData("admin/functions")]
    [InlineData("admin/functions/Hello")]
    [InlineData("admin/functions/Hello/status")]
    public async Task Is_shut_without_the_master_key(string path)
    {
        Assert.Equal(HttpStatusCode.Unauthorized, (await AskAsync(HttpMethod.Get, path, null)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await AskAsync(HttpMethod.Get, path, "wrong")).Status);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(HttpMethod.Get, path)).Status);
    }

    [Fact]
    public async Task Describes_the_functions()
    {
        var functions = JsonDocument.Parse((await AskAsync(HttpMethod.Get, "admin/functions")).Body).RootElement;

        var item = functions.EnumerateArray().Single(function => function.GetProperty("name").GetString() == "Item");
        Assert.Equal("/api/items/{id:int}/{*rest}", item.GetProperty("invoke_url_template").GetString());
        var binding = item.GetProperty("config").GetProperty("bindings")[0];
        Assert.Equal("httpTrigger", binding.GetProperty("type").GetString());
        Assert.Contains(functions.EnumerateArray(), function => function.GetProperty("name").GetString() == "Chain");
        Assert.Equal(HttpStatusCode.NotFound, (await AskAsync(HttpMethod.Get, "admin/functions/Nothing-of-it")).Status);
    }

    [Fact]
    public async Task Runs_a_timer_by_hand_and_tells_its_failure_to_the_log()
    {
        var accepted = await AskAsync(HttpMethod.Post, "admin/functions/tickfails");

        Assert.Equal(HttpStatusCode.Accepted, accepted.Status);
        await app.LoggedAsync("Timer 'TickFails' failed");
        Assert.Contains("this tick fails", app.Output, StringComparison.Ordinal);
        Assert.Equal(1, app.Logged("Timer 'TickFails' failed"));
    }

    [Theory]
    [InlineData("TickFails", "wrong", HttpStatusCode.Unauthorized)]
    [InlineData("Hello", SampleApp.MasterKey, HttpStatusCode.BadRequest)]
    [InlineData("Nothing-of-it", SampleApp.MasterKey, HttpStatusCode.NotFound)]
    public async Task Runs_nothing_else(string name, string key, HttpStatusCode expected) =>
        Assert.Equal(expected, (await AskAsync(HttpMethod.Post, $"admin/functions/{name}", key)).Status);

    [Fact]
    public async Task Tells_timers_what_the_worker_wants_to_know()
    {
        // Each second: no status is kept. Once a year, and at start: its next occurrence is known.
        await app.NotedAsync("tick False False ");
        await app.NotedAsync("tick at start False 01-01 00:00:00");
    }

    [Fact]
    public async Task Has_no_admin_routes_without_a_master_key()
    {
        await using var database = await ScratchDatabase.CreateAsync();
        await using var keyless = await SampleApp.StartAsync(database, ("LocalHost__MasterKey", null));

        using var status = await keyless.Client.GetAsync("admin/host/status");
        using var guarded = await keyless.Client.GetAsync("api/guarded");

        Assert.Equal(HttpStatusCode.NotFound, status.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, guarded.StatusCode);
    }

    private async Task<(HttpStatusCode Status, string Body)> AskAsync(
        HttpMethod method, string path, string? key = SampleApp.MasterKey)
    {
        using var request = new HttpRequestMessage(method, path);
        if (method == HttpMethod.Post)
            request.Content = new StringContent("""{"input":null}""", Encoding.UTF8, "application/json");
        if (key is not null) request.Headers.Add("x-functions-key", key);
        using var response = await app.Client.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }
}
