using Microsoft.Azure.Functions.Worker;
using ViralEngine.LocalRuntime.Hosting;

namespace ViralEngine.LocalRuntime.Timers;

/// <summary>A function that a timer starts.</summary>
internal sealed class TimerFunction(LoadedFunction function, FunctionRunner runner)
{
    public string Name => function.Name;

    public TimerTriggerAttribute Trigger { get; } = (TimerTriggerAttribute)function.Trigger;

    /// <summary>Runs the function once. False when it was cancelled, and the run is still to be done.</summary>
    public async Task<bool> TryInvokeAsync(TimerInfo timer, CancellationToken ct)
    {
        await using var context = new LocalFunctionContext(function, runner.Services, runner.Stopping)
        {
            TriggerValue = timer,
            Aborted = ct,
        };
        try
        {
            await runner.RunAsync(context);
            return true;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested || runner.Stopping.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception)
        {
            // The runner has logged it. A timer that failed waits for its next occurrence.
            return true;
        }
    }
}
