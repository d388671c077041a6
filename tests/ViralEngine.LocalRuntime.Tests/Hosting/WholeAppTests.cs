using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ViralEngine.LocalRuntime.Tests.Hosting;

public sealed class WholeAppTests(ScratchDatabase database) : IClassFixture<ScratchDatabase>
{
    private const string TraceId = "0af7651916cd43dd8448eb211c80319c";

    private readonly WholeApp.Journal journal = new();

    [Fact]
    public async Task Runs_an_orchestration_that_a_request_started()
    {
        await using var app = await StartAsync();

        var outcome = await GreetAsync(app, "Ada");

        Assert.Equal("Completed \"Hello Ada, Hello world (2)\"", outcome);
        Assert.Contains("SayHello Ada", journal.Notes);
        Assert.Empty(app.Logs.Errors);
    }

    [Fact]
    public async Task Fails_an_orchestration_whose_activity_fails()
    {
        await using var app = await StartAsync();

        var outcome = await GreetAsync(app, "nobody");

        Assert.StartsWith("Failed ", outcome, StringComparison.Ordinal);
        Assert.Contains("Nobody is there.", outcome, StringComparison.Ordinal);
        Assert.Contains(app.Logs.Errors, entry =>
            entry.Message.StartsWith("Function 'SayHello'", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Passes_every_kind_of_function_through_the_middleware()
    {
        await using var app = await StartAsync();

        await GreetAsync(app, "Ada");
        while (!journal.Triggers.ContainsKey("Tick"))
            await Task.Yield();

        Assert.Equal(
            new Dictionary<string, string>
            {
                ["Start"] = "httpTrigger",
                ["Wait"] = "httpTrigger",
                ["Greet"] = "orchestrationTrigger",
                ["SayHello"] = "activityTrigger",
                ["Measure"] = "activityTrigger",
                ["Tick"] = "timerTrigger",
            },
            journal.Triggers);
    }

    [Fact]
    public async Task Keeps_one_trace_from_the_request_to_the_activity()
    {
        var stopped = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Microsoft.Azure.Functions.Worker" or "Microsoft.DurableTask",
            Sample = (ref _) => ActivitySamplingResult.AllData,
            ActivityStopped = stopped.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        await using var app = await StartAsync();
        app.Client.DefaultRequestHeaders.Add("traceparent", $"00-{TraceId}-00f067aa0ba902b7-01");

        await GreetAsync(app, "Ada");

        Assert.Contains(stopped, activity =>
            activity.OperationName == "function SayHello" && activity.TraceId.ToHexString() == TraceId);
    }

    private static async Task<string> GreetAsync(RunningApp app, string name)
    {
        using var started = await app.Client.PostAsync(new Uri($"/api/greetings/{name}", UriKind.Relative), null);
        Assert.True(started.IsSuccessStatusCode, string.Join('\n', app.Logs.Errors));
        var id = await started.Content.ReadAsStringAsync();
        return await app.Client.GetStringAsync(new Uri($"/api/greetings/{id}", UriKind.Relative));
    }

    private Task<RunningApp> StartAsync() => RunningApp.StartAsync(
        builder =>
        {
            builder.Configuration["ConnectionStrings:Postgres"] = database.ConnectionString;
            builder.Services.AddSingleton(journal);
            builder.UseMiddleware((context, next) =>
            {
                journal.Triggers[context.FunctionDefinition.Name] = context.FunctionDefinition.InputBindings.Values
                    .Single(binding => binding.Type.EndsWith("Trigger", StringComparison.Ordinal)).Type;
                return next();
            });
        },
        [typeof(WholeApp)]);
}
