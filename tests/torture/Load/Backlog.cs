using Npgsql;
using ViralEngine.Torture.Promises;
using ViralEngine.Torture.Stack;

namespace ViralEngine.Torture.Load;

/// <summary>
/// Keeps the load to what the machine bears: where much is open already, clients wait before they send more. A backlog
/// that grows for ever shows nothing but that.
/// </summary>
internal sealed class Backlog(World world)
{
    public const string Tasks = "tasks";
    public const string Batches = "batches";
    public const string Workflows = "workflows";

    private volatile Dictionary<string, long> open = [];

    /// <summary>Looks every second.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await using var database = await world.OpenAsync();
                open = (await Rows.QueryAsync(
                    database,
                    """
                    SELECT 'tasks', count(*) - 40 FROM viral.tasks WHERE status IN ('pending', 'in_progress')
                    UNION ALL
                    SELECT 'batches', count(*) - 2 FROM viral.batches WHERE status IN ('pending', 'in_progress')
                    UNION ALL
                    SELECT 'workflows', count(*) - 12 FROM viral.workflows WHERE completed_at IS NULL
                    """,
                    row => (row.GetString(0), row.GetInt64(1)))).ToDictionary();
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException)
            {
                // It is away: clients wait for their answers anyhow.
            }

            await Task.Delay(1000, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Waits until no more is open of the kind than is useful.</summary>
    public async Task HasRoomAsync(string kind, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested && open.GetValueOrDefault(kind) > 0)
            await Task.Delay(200, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
