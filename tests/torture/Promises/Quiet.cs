using ViralEngine.Torture.Stack;

namespace ViralEngine.Torture.Promises;

/// <summary>What is still open. When everything has come to its end, nothing is.</summary>
internal static class Quiet
{
    /// <summary>Nothing has come to its end for so long: nothing will.</summary>
    private static readonly TimeSpan Standstill = TimeSpan.FromMinutes(4);

    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(30);

    /// <summary>
    /// Waits until nothing is open any more, and gives what is open still when it does not become less.
    /// </summary>
    public static async Task<IReadOnlyList<(string What, long Count)>> WaitAsync(World world, Timeline timeline)
    {
        var began = timeline.Now;
        var last = 0.0;
        var (least, since) = (long.MaxValue, began);
        while (true)
        {
            var open = await OpenAsync(world);
            if (open.Sum(each => each.Count) is var left && left < least)
                (least, since) = (left, timeline.Now);
            if (left == 0 || timeline.Now - since > Standstill.TotalSeconds
                || timeline.Now - began > Bound.TotalSeconds)
                return open;
            if (timeline.Now - last > 15)
            {
                last = timeline.Now;
                timeline.Say($"  still open: {string.Join(", ", open.Select(each => $"{each.Count} {each.What}"))}");
            }

            await Task.Delay(1000);
        }
    }

    private static async Task<List<(string What, long Count)>> OpenAsync(World world)
    {
        await using var database = await world.OpenAsync(patience: 300);
        var counts = await Rows.QueryAsync(
            database,
            """
            SELECT 'tasks', count(*) FROM viral.tasks WHERE status IN ('pending', 'in_progress')
            UNION ALL
            SELECT 'batches', count(*) FROM viral.batches WHERE status IN ('pending', 'in_progress')
            UNION ALL
            SELECT 'ranges of batch items', count(*) FROM viral.batch_slices
            UNION ALL
            SELECT 'workflows', count(*) FROM viral.workflows WHERE completed_at IS NULL
            UNION ALL
            SELECT 'gates', count(*) FROM viral.approval_gates WHERE status = 'open'
            UNION ALL
            SELECT 'webhook deliveries', count(*) FROM viral.webhook_deliveries WHERE status = 'pending'
            UNION ALL
            SELECT 'orchestrations', count(*) FROM local_durable.instances WHERE status IN (0, 6, 7)
            UNION ALL
            SELECT 'activities', count(*) FROM local_durable.activities
            UNION ALL
            SELECT 'timers that a wrong clock has put off', count(*)
            FROM local_durable.timers
            WHERE next_run > now() + interval '11 minutes'
            UNION ALL
            SELECT 'minutes that were evaluated before they were over', count(*)
            FROM viral.metric_progress
            WHERE name = 'minute' AND until > now() + interval '1 minute'
            UNION ALL
            SELECT 'connections idle in transaction', count(*)
            FROM pg_stat_activity
            WHERE usename = 'app' AND state LIKE 'idle in transaction%' AND state_change < now() - interval '5 seconds'
            """,
            row => (row.GetString(0), row.GetInt64(1)));
        return [.. counts.Where(each => each.Item2 > 0)];
    }
}
