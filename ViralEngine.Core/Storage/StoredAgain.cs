using Microsoft.Extensions.Logging;
using Npgsql;

namespace ViralEngine.Core.Storage;

/// <summary>
/// Retries storing a paid-for result while the database is unreachable, until the database says whether it still
/// counts.
/// </summary>
public static partial class StoredAgain
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(2);

    /// <param name="storeAsync">Must be idempotent.</param>
    /// <param name="stopping">When the process stops, one more attempt is made.</param>
    public static async Task<T> RunAsync<T>(
        Func<Task<T>> storeAsync, TimeProvider time, ILogger logger, CancellationToken stopping)
    {
        var wait = FirstWait;
        while (true)
        {
            try
            {
                return await storeAsync();
            }
            catch (Exception e) when (IsPassing(e) && !stopping.IsCancellationRequested)
            {
                LogAgain(logger, e, wait.TotalSeconds);
            }

            await Task.Delay(wait, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            wait = wait * 2 < MaxWait ? wait * 2 : MaxWait;
        }
    }

    private static bool IsPassing(Exception e) =>
        DatabaseAway.Explains(e) || e is TimeoutException || (e is NpgsqlException and not PostgresException);

    [LoggerMessage(1, LogLevel.Warning, "A result could not be stored; trying again in {Seconds} s")]
    private static partial void LogAgain(ILogger logger, Exception exception, double seconds);
}
