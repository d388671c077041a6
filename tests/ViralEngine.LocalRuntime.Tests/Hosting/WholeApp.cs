using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace ViralEngine.LocalRuntime.Tests.Hosting;

/// <summary>An app that has every kind of function.</summary>
internal sealed class WholeApp(WholeApp.Journal journal)
{
    private const string Greet = nameof(Greet);

    [Function("Start")]
    public static async Task<IResult> StartAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "greetings/{name}")] HttpRequest request,
        string name,
        [DurableClient] DurableTaskClient client,
        CancellationToken ct)
    {
        var id = await client.ScheduleNewOrchestrationInstanceAsync(Greet, new Names([name, "world"]), ct);
        return Results.Text(id);
    }

    [Function("Wait")]
    public static async Task<IResult> WaitAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "greetings/{id}")] HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient client,
        CancellationToken ct)
    {
        var instance = await client.WaitForInstanceCompletionAsync(id, getInputsAndOutputs: true, ct);
        var outcome = instance.SerializedOutput ?? instance.FailureDetails?.ErrorMessage;
        return Results.Text($"{instance.RuntimeStatus} {outcome}");
    }

    [Function(Greet)]
    public static async Task<string> GreetAsync([OrchestrationTrigger] TaskOrchestrationContext context, Names names)
    {
        var greetings = new List<string>();
        foreach (var name in names.Values)
            greetings.Add(await context.CallActivityAsync<string>("SayHello", new Name(name)));
        await context.CreateTimer(TimeSpan.FromMilliseconds(1), CancellationToken.None);
        var length = await context.CallActivityAsync<int>("Measure", context.GetInput<Names>()!.Values.Length);
        return $"{string.Join(", ", greetings)} ({length})";
    }

    [Function("SayHello")]
    public string SayHello([ActivityTrigger] Name name, FunctionContext context)
    {
        if (name.Value == "nobody")
            throw new InvalidOperationException("Nobody is there.");
        journal.Notes.Add($"{context.FunctionDefinition.Name} {name.Value}");
        return $"Hello {name.Value}";
    }

    [Function("Measure")]
    public static Task<int> MeasureAsync([ActivityTrigger] int length, CancellationToken ct) =>
        Task.FromResult(ct.CanBeCanceled ? length : -1);

    [Function("Tick")]
    public void Tick([TimerTrigger("0 0 0 1 1 *", RunOnStartup = true)] TimerInfo timer) => journal.Notes.Add("Tick");

    internal sealed record Names(string[] Values);

    internal sealed record Name(string Value);

    internal sealed class Journal
    {
        public ConcurrentBag<string> Notes { get; } = [];

        public ConcurrentDictionary<string, string> Triggers { get; } = [];
    }
}
