using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Lanes;

/// <summary>Whether any tenant has unfinished work, by one index probe for each kind.</summary>
public sealed class OpenWork(Db db)
{
    public Task<bool> AnyAsync(CancellationToken ct) => db.QueryOneAsync(
        DbScope.AllTenants,
        """
        SELECT EXISTS (SELECT FROM viral.tasks WHERE status IN ('pending', 'in_progress'))
            OR EXISTS (SELECT FROM viral.batches WHERE status IN ('pending', 'in_progress'))
            OR EXISTS (SELECT FROM viral.workflows
                WHERE status IN ('pending', 'in_progress', 'waiting', 'rolling_back'))
            OR EXISTS (SELECT FROM viral.webhook_deliveries WHERE status = 'pending')
            OR EXISTS (SELECT FROM viral.reservations)
        """,
        [],
        row => row.GetBoolean(0),
        ct);

    /// <summary>
    /// Whether any tenant has an open alert. That is work for detection only, which resolves it: lanes have none.
    /// </summary>
    public Task<bool> AnyAlertAsync(CancellationToken ct) => db.QueryOneAsync(
        DbScope.AllTenants,
        "SELECT EXISTS (SELECT FROM viral.alerts WHERE status = 'open')",
        [],
        row => row.GetBoolean(0),
        ct);
}
