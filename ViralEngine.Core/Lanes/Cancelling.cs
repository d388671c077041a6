namespace ViralEngine.Core.Lanes;

internal static class Cancelling
{
    /// <summary>Cancels what may end, and dispose its source, at the same moment.</summary>
    public static async Task TryCancelAsync(this CancellationTokenSource source)
    {
        try
        {
            await source.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // It has ended.
        }
    }
}
