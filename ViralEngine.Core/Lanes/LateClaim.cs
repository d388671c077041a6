namespace ViralEngine.Core.Lanes;

/// <summary>
/// A claim whose answer was long on its way, or after which something else had to be waited for: by now the work may be another process's,
/// and a call for it would be made twice.
/// </summary>
internal static class LateClaim
{
    /// <summary>What of the claimed work is still this process's, with leases that have just begun.</summary>
    /// <param name="since">When the claim was sent, which is before its leases began.</param>
    /// <param name="renewAsync">Renews leases, and returns the work whose lease is still held.</param>
    public static async Task<IReadOnlyList<T>> StillHeldAsync<T>(
        IReadOnlyList<T> claimed, long since, TimeSpan lease, TimeProvider time, Func<IReadOnlyList<T>, Task<IReadOnlyList<T>>> renewAsync)
    {
        while (claimed.Count > 0 && time.GetElapsedTime(since) >= lease / 2)
        {
            since = time.GetTimestamp();
            claimed = await renewAsync(claimed);
        }

        return claimed;
    }
}
