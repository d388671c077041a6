namespace ViralEngine.Core.Lanes;

/// <summary>
/// When a lease was last known to be held: when the statement that claimed or renewed it was sent, which is before the
/// lease began. Its answer may have been long on its way, or the process stopped meanwhile: then the work may be
/// another process's, and a call for it would be made twice.
/// </summary>
internal sealed class HeldSince(TimeSpan lease, TimeProvider time, long since)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);
    private long since = since;

    public TimeSpan Age => time.GetElapsedTime(Volatile.Read(ref since));

    public void Renewed(long sent) => Volatile.Write(ref since, sent);

    /// <summary>
    /// Awaited before a call. Returns at once while at least half of the lease is left, else when a renewal has been
    /// confirmed. Who renews cancels <paramref name="ct"/> if the lease is lost.
    /// </summary>
    public async Task ConfirmAsync(CancellationToken ct)
    {
        while (Age >= lease / 2)
            await Task.Delay(LookEvery, time, ct);
    }
}
