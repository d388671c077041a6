using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Http;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Telemetry;

public sealed class TraceTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    private const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string CallersSpan = "00f067aa0ba902b7";

    [Fact]
    public async Task One_trace_goes_from_the_request_through_the_lane_to_the_providers_call()
    {
        var seenByProvider = new ConcurrentQueue<string>();
        await using var provider = await LoopbackServer.StartAsync(http =>
        {
            seenByProvider.Enqueue(http.Request.Headers["traceparent"].ToString());
            return http.Response.WriteAsync("hello");
        });
        await using var collector = await OtlpReceiver.StartAsync();
        await using var app = await AppProcess.StartAsync(collector.Observe(new AppSettings(postgres)));
        using var tenant = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        var agent = (await tenant.Owner.PostAsync(
            "/api/agents", new { name = "remote", kind = "http", settings = new { url = provider.Url } }))
            .Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString()!;

        var task = (await tenant.Owner.PostAsync(
            "/api/tasks",
            new { agent_id = agent, description = "x" },
            ("traceparent", $"00-{TraceId}-{CallersSpan}-01")))
            .Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString()!;
        await tenant.WaitForAsync(task, "completed");

        // The provider is told which span calls it; from there it goes up without a gap.
        var call = Assert.Single(seenByProvider).Split('-');
        var path = await Eventually.GetAsync(
            () => Task.FromResult(PathUp(collector.Spans, call[2])),
            path => path.LastOrDefault()?.ParentId == CallersSpan,
            "the trace to be whole");
        Assert.Equal(TraceId, call[1]);
        Assert.Equal(
            [
                "POST", "agent.call", "task.attempt", "function CreateTask",
                "Microsoft.AspNetCore.Hosting.HttpRequestIn",
            ],
            path.Select(span => span.Name));
    }

    private static List<ReceivedSpan> PathUp(IReadOnlyList<ReceivedSpan> spans, string id)
    {
        var path = new List<ReceivedSpan>();
        while (spans.FirstOrDefault(span => span.TraceId == TraceId && span.SpanId == id) is { } span)
        {
            path.Add(span);
            id = span.ParentId;
        }

        return path;
    }
}
