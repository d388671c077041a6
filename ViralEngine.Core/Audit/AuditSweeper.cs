using Microsoft.Extensions.Options;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Audit;

/// <summary>Removes audit log entries past their retention. Nothing else may.</summary>
public sealed class AuditSweeper(Db db, IOptions<AuditOptions> options)
{
    private const int PageSize = 5000;

    /// <summary>Safe to run while the app is running, and again after a crash.</summary>
    /// <returns>The number of entries removed.</returns>
    public async Task<int> RunAsync(CancellationToken ct)
    {
        var (removed, page) = (0, PageSize);
        while (page == PageSize)
        {
            page = await db.ExecuteAsync(
                DbScope.AllTenants,
                """
                DELETE FROM viral.audit_log AS entry
                USING (
                    SELECT tenant_id, id
                    FROM viral.audit_log
                    WHERE at < now() - make_interval(days => $1)
                    LIMIT $2
                ) AS old
                WHERE entry.tenant_id = old.tenant_id AND entry.id = old.id
                """,
                [options.Value.RetentionDays, PageSize],
                ct);
            removed += page;
        }

        return removed;
    }
}
