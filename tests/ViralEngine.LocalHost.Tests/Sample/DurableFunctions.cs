using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;

namespace ViralEngine.LocalHost.Sample;

public sealed record Pair(int Left, int Right);

/// <summary>Orchestrators and activities of every kind. Some are wrong, as the test wants them.</summary>
public static class DurableFunctions
{
    private static int replays;
    private static int tries;

    [Function("Chain")]
    public static async Task<string> ChainAsync([OrchestrationTrigger] TaskOrchestrationContext context, string name)
    {
        context.CreateReplaySafeLogger("Chain").LogWarning("chain of {Name} began", name);
        var greeting = await context.CallActivityAsync<string>("Greet", name);
        var sum = await context.CallActivityAsync<int>("Sum", new Pair(40, 2));
        var list = await context.CallActivityAsync<int[]>("Reverse", new[] { 1, 2, 3 });
        await context.CallActivityAsync("Nothing");
        var text = await context.CallActivityAsync<string?>("Same", (string?)null);
        return $"{greeting} {sum} {string.Join(',', list)} {text ?? "null"} {context.GetInput<string>()}";
    }

    [Function("CallsFailing")]
    public static Task<string> CallsFailingAsync([OrchestrationTrigger] TaskOrchestrationContext context) =>
        context.CallActivityAsync<string>("Fail", "bad input");

    [Function("Catches")]
    public static async Task<string> CatchesAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        try
        {
            return await context.CallActivityAsync<string>("FailLater", "bad input");
        }
        catch (TaskFailedException failed)
        {
            var details = failed.FailureDetails;
            var inner = details.InnerFailure!;
            return $"{details.ErrorType}: {details.ErrorMessage}; {inner.ErrorType}: {inner.ErrorMessage}";
        }
    }

    [Function("Retries")]
    public static Task<int> RetriesAsync([OrchestrationTrigger] TaskOrchestrationContext context) =>
        context.CallActivityAsync<int>(
            "SucceedAtThird",
            context.InstanceId,
            TaskOptions.FromRetryPolicy(new RetryPolicy(5, TimeSpan.FromMilliseconds(20))));

    [Function("Parent")]
    public static async Task<string> ParentAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var children = Enumerable.Range(1, 3).Select(n => context.CallSubOrchestratorAsync<int>("Child", n));
        var results = await Task.WhenAll(children);
        try
        {
            await context.CallSubOrchestratorAsync("CallsFailing");
            return "no failure";
        }
        catch (TaskFailedException failed)
        {
            return $"{string.Join(' ', results)} {failed.FailureDetails.ErrorMessage}";
        }
    }

    [Function("Child")]
    public static Task<int> ChildAsync([OrchestrationTrigger] TaskOrchestrationContext context, int n) =>
        context.CallActivityAsync<int>("Sum", new Pair(n, n));

    /// <summary>Begins anew for each event that it takes; those that come meanwhile are carried over.</summary>
    [Function("Gathers")]
    public static async Task<string> GathersAsync(
        [OrchestrationTrigger] TaskOrchestrationContext context, string? soFar)
    {
        if (string.IsNullOrEmpty(soFar)) await context.WaitForExternalEvent<string>("begin");
        soFar += await context.WaitForExternalEvent<string>("letter");
        if (soFar.Length == 3) return soFar;
        context.ContinueAsNew(soFar);
        return "";
    }

    [Function("Sleeps")]
    public static async Task<string> SleepsAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var began = context.CurrentUtcDateTime;
        await context.CreateTimer(TimeSpan.FromMilliseconds(300), CancellationToken.None);
        using var giveUp = new CancellationTokenSource();
        var late = context.CreateTimer(TimeSpan.FromHours(1), giveUp.Token);
        var soon = context.CreateTimer(TimeSpan.FromMilliseconds(10), CancellationToken.None);
        var first = await Task.WhenAny(late, soon);
        giveUp.Cancel();
        return $"{context.CurrentUtcDateTime - began >= TimeSpan.FromMilliseconds(300)} {first == soon}";
    }

    [Function("Waits")]
    public static async Task<string> WaitsAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        context.SetCustomStatus("waiting");
        return await context.WaitForExternalEvent<string>("go");
    }

    [Function("Steps")]
    public static async Task<int> StepsAsync([OrchestrationTrigger] TaskOrchestrationContext context, int count)
    {
        var sum = 0;
        for (var step = 0; step < count; step++)
        {
            context.SetCustomStatus(step);
            sum += await context.CallActivityAsync<int>("Step", step);
        }

        return sum;
    }

    /// <summary>Not deterministic: it calls another activity each time it is replayed.</summary>
    [Function("Wavers")]
    public static async Task<string> WaversAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var name = Interlocked.Increment(ref replays) % 2 == 1 ? "Greet" : "Same";
        await context.CallActivityAsync<string>(name, "you");
        return await context.CallActivityAsync<string>("Greet", "again");
    }

    [Function("AwaitsClock")]
    public static async Task<string> AwaitsClockAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
#pragma warning disable DURABLE0003 // What the analyzer warns of is what the host must bear.
        await Task.Delay(1000);
#pragma warning restore DURABLE0003
        return await context.CallActivityAsync<string>("Greet", "late");
    }

    [Function("Spoilt")]
    public static Task<string> SpoiltAsync([OrchestrationTrigger] TaskOrchestrationContext context) =>
        throw new InvalidDataException("spoilt");

    [Function("Greet")]
    public static string Greet([ActivityTrigger] string name) => $"Hello \"{name}\" – ü";

    [Function("Sum")]
    public static async Task<int> SumAsync([ActivityTrigger] Pair pair, string instanceId, FunctionContext context)
    {
        await Task.Yield();
        Notes.Add($"sum for {instanceId} in {context.FunctionDefinition.Name}");
        return pair.Left + pair.Right;
    }

    [Function("Reverse")]
    public static int[] Reverse([ActivityTrigger] int[] numbers) => [.. numbers.Reverse()];

    [Function("Nothing")]
    public static Task NothingAsync([ActivityTrigger] FunctionContext context) => Task.CompletedTask;

    [Function("Same")]
    public static string? Same([ActivityTrigger] string? text) => text;

    [Function("Step")]
    public static async Task<int> StepAsync([ActivityTrigger] int step, CancellationToken ct)
    {
        await Task.Delay(20, ct);
        return step;
    }

    /// <summary>Ends when it is cancelled, and not before.</summary>
    [Function("Endless")]
    public static Task EndlessAsync([ActivityTrigger] FunctionContext context, CancellationToken ct) =>
        Task.Delay(Timeout.Infinite, ct);

    [Function("Fail")]
    public static string Fail([ActivityTrigger] string message) =>
        throw new ArgumentException(message, new FormatException("the reason"));

    [Function("FailLater")]
    public static async Task<string> FailLaterAsync([ActivityTrigger] string message)
    {
        await Task.Yield();
        throw new ArgumentException(message, new FormatException("the reason"));
    }

    [Function("SucceedAtThird")]
    public static int SucceedAtThird([ActivityTrigger] string id)
    {
        Notes.Add($"tried {id}");
        return Interlocked.Increment(ref tries) >= 3 ? tries : throw new IOException("not yet");
    }
}
