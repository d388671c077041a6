using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace ViralEngine.LocalRuntime.Tests.Hosting;

public sealed class TraceTests
{
    private const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";

    [Fact]
    public async Task Continues_the_trace_of_the_caller()
    {
        var stopped = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Microsoft.Azure.Functions.Worker" or "Microsoft.AspNetCore",
            Sample = (ref _) => ActivitySamplingResult.AllData,
            ActivityStopped = stopped.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        var app = await RunningApp.StartAsync(typeof(Traced));

        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/traced");
        request.Headers.Add("traceparent", $"00-{TraceId}-00f067aa0ba902b7-01");
        request.Headers.Add("tracestate", "vendor=1");
        using var response = await app.Client.SendAsync(request);
        await app.DisposeAsync();

        var invocation = Assert.Single(stopped, activity => activity.OperationName == "function Traced");
        var hosting = Assert.Single(stopped, activity => activity.SpanId == invocation.ParentSpanId);
        Assert.Equal(TraceId, invocation.TraceId.ToHexString());
        Assert.Equal("00f067aa0ba902b7", hosting.ParentSpanId.ToHexString());
        Assert.Equal("Traced", invocation.GetTagItem("faas.name"));
        Assert.Equal($"{hosting.Id} vendor=1", await response.Content.ReadAsStringAsync());
    }

    internal static class Traced
    {
        [Function("Traced")]
        public static IResult Run(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "traced")] HttpRequest request,
            FunctionContext context) =>
            Results.Text($"{context.TraceContext.TraceParent} {context.TraceContext.TraceState}");
    }
}
