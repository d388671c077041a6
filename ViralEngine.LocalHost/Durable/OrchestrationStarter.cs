using ViralEngine.Core.Storage;

namespace ViralEngine.LocalHost.Durable;

/// <summary>
/// Starts orchestrations of concurrent callers together. Where this process has room it stores them as leased by
/// itself and begins at once.
/// </summary>
internal sealed class OrchestrationStarter
{
    private readonly DurableWorker worker;
    private readonly Wakeups wakeups;
    private readonly StartStore store;
    private readonly GroupRunner<StartRequest, bool> starts;

    public OrchestrationStarter(DurableWorker worker, Wakeups wakeups, StartStore store)
    {
        this.worker = worker;
        this.wakeups = wakeups;
        this.store = store;
        starts = new(request => request.Start.InstanceId, StartAsync);
    }

    /// <returns>False: an instance with this id stands in the way.</returns>
    public Task<bool> TryStartAsync(StartRequest request) => starts.RunAsync(request);

    private async Task<IReadOnlyList<bool>> StartAsync(IReadOnlyList<StartRequest> group, CancellationToken ct)
    {
        var session = worker.Session;
        foreach (var request in group)
            request.Session = request.StartAt is null && session?.TryReserve() == true ? session : null;
        IReadOnlyList<bool> started = [];
        try
        {
            started = await store.StartAsync(group, ct);
        }
        finally
        {
            for (var i = 0; i < group.Count; i++)
            {
                if (group[i].Session is not { } host) continue;
                if (i < started.Count && started[i])
                    host.Adopt(group[i].Start);
                else
                    host.Unreserve();
            }
        }

        if (group.Any(request => request.Session is null)) wakeups.WorkLeft();
        return started;
    }
}
