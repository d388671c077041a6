using Microsoft.DurableTask.Protobuf;

namespace ViralEngine.LocalHost.Durable;

/// <summary>Commits taken steps in groups.</summary>
internal sealed class StepCommitter(EngineSession session, EngineServices services)
{
    private const int MaxGroup = 128;

    public async Task RunAsync(CancellationToken ct)
    {
        var group = new List<StepCommit>();
        while (await session.Taken.Reader.WaitToReadAsync(ct))
        {
            group.Clear();
            while (group.Count < MaxGroup && session.Taken.Reader.TryRead(out var step)) group.Add(step);
            foreach (var step in group) Plan(step);
            await CommitAsync(group, ct);
        }
    }

    /// <summary>Decides what this process continues with itself, without a claim.</summary>
    private void Plan(StepCommit step)
    {
        var instance = step.Instance;
        step.Activities.Clear();
        step.Children.Clear();
        var handed = 0;
        foreach (var action in step.Outcome.Actions)
        {
            if (action is OrchestrationAction.CallActivity call)
            {
                var local = session.Activities.TryReserve(handed);
                if (local) handed++;
                step.Activities.Add((step.Work(call), local));
            }
            else if (action is OrchestrationAction.CallOrchestrator child)
            {
                step.Children.Add((child, session.TryReserve()));
            }
        }

        lock (instance.Gate)
        {
            if (!step.Finished && !step.Restarted) instance.LocalActivities += handed;
            step.Keep = !step.Finished
                && (step.Restarted || instance.LocalActivities > 0 || instance.Arrived.Count > 0 || instance.Dirty);
            instance.Releasing = !step.Keep;
        }
    }

    private async Task CommitAsync(List<StepCommit> group, CancellationToken ct)
    {
        var commitId = Guid.CreateVersion7();
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                // After a lost response, first check whether the commit succeeded.
                var committed = attempt == 0
                    ? []
                    : await services.Steps.CommittedAsync(session.WorkerId, commitId, group, ct);
                var left = group.Where(step => !committed.ContainsKey(step.InstanceId)).ToList();
                Settle(group.Where(step => committed.ContainsKey(step.InstanceId)), committed);
                group = left;
                if (left.Count == 0) return;
                Settle(left, await services.Steps.CommitAsync(session.WorkerId, commitId, left, ct));
                return;
            }
            catch (Exception exception) when (DurableDatabase.IsTransient(exception))
            {
                EngineLog.StoreAway(session.Logger, exception);
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(50 << Math.Min(attempt, 5), 1000)), ct);
            }
            catch (Exception) when (group.Count > 1)
            {
                foreach (var step in group) await CommitAsync([step], ct);
                return;
            }
            catch (Exception exception) when (exception is not OperationCanceledException && !group[0].Finished)
            {
                group = [Fail(group[0], exception)];
            }
        }
    }

    /// <summary>A step that cannot be stored fails its instance, because a retry would fail too.</summary>
    private StepCommit Fail(StepCommit step, Exception exception)
    {
        EngineLog.CannotStore(session.Logger, exception, step.InstanceId);
        Unplan(step);
        var outcome = new StepOutcome
        {
            Status = OrchestrationStatus.Failed,
            Events = [],
            Failure = FailureRecord.From(exception),
        };
        return new(step.Instance, outcome, false) { ConsumedActivities = step.ConsumedActivities };
    }

    private void Unplan(StepCommit step)
    {
        foreach (var _ in step.WaitingActivities) session.Activities.Release();
        foreach (var (_, local) in step.Children) if (local) session.Unreserve();
    }

    private void Settle(IEnumerable<StepCommit> steps, Dictionary<string, CommittedStep> committed)
    {
        var left = false;
        foreach (var step in steps)
        {
            CommittedStep? stored = committed.TryGetValue(step.InstanceId, out var found) ? found : null;
            if (stored is not null) Adopt(step);
            session.Settle(step, stored);
            left |= step.Activities.Exists(row => !row.Local)
                || step.Children.Exists(row => !row.Local)
                || step.Messages().Any();
            if (stored?.DueAt is { } due) services.Wakeups.DueAt(due);
        }

        if (left) services.Wakeups.WorkLeft();
        services.Wakeups.RoomMade();
    }

    private void Adopt(StepCommit step)
    {
        foreach (var (call, local) in step.Children)
        {
            if (!local) continue;
            var parent = new ParentCall(step.InstanceId, step.After.ExecutionId, step.Before.Name, call.Id);
            session.Adopt(new(
                call.InstanceId,
                call.ExecutionId,
                call.Name,
                call.Version,
                call.Input,
                parent,
                step.TraceParent));
        }
    }
}
