namespace ViralEngine.LocalHost.Durable;

/// <summary>Claims work from the store whenever there may be work and room for it.</summary>
internal sealed class Claimer(EngineSession session, EngineServices services)
{
    private const int MaxClaim = 100;

    public async Task RunAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            var found = false;
            DateTime? nextDue = null;
            try
            {
                var instances = Math.Min(session.FreeInstances, MaxClaim);
                var activities = Math.Min(session.Activities.Claimable, MaxClaim);
                if (instances == 0 || activities == 0) services.Wakeups.Crowded();
                if (instances > 0 || activities > 0)
                {
                    var claim = await services.Claims.ClaimAsync(session.WorkerId, instances, activities, ct);
                    services.Clock.Set(claim.Now);
                    session.Take(claim);
                    nextDue = claim.NextDue;
                    found = claim.Instances.Count > 0 || claim.Activities.Count > 0;
                    // A full claim may have left something.
                    if (claim.Instances.Count == instances || claim.Activities.Count == activities)
                        services.Wakeups.Crowded();
                }

                await LoadAsync(ct);
                if (session.FreeInstances > 0 && session.Activities.Claimable > 0) services.Wakeups.RoomMade();
            }
            catch (Exception exception) when (DurableDatabase.IsTransient(exception))
            {
                EngineLog.StoreAway(session.Logger, exception);
                await Task.Delay(500, ct);
            }

            await services.Wakeups.WaitAsync(found, nextDue, ct);
        }
    }

    private async Task LoadAsync(CancellationToken ct)
    {
        while (!session.ToLoad.IsEmpty)
        {
            var batch = new List<LiveInstance>();
            while (batch.Count < MaxClaim && session.ToLoad.TryDequeue(out var instance)) batch.Add(instance);
            while (true)
            {
                try
                {
                    await services.Claims.LoadAsync(batch, ct);
                    break;
                }
                catch (Exception exception) when (DurableDatabase.IsTransient(exception))
                {
                    EngineLog.StoreAway(session.Logger, exception);
                    await Task.Delay(500, ct);
                }
            }

            foreach (var instance in batch) session.Ready.Writer.TryWrite(instance);
        }
    }
}
