using Microsoft.Extensions.Options;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Audit;

/// <summary>Removes entries that are past their time. The only one who may.</summary>
public sealed class AuditSweeper(Db db, IOptions<AuditOptions> options)
{
    private const int PageSize = 5000;

    /// <summary>Safe to run while the app works, and again after a crash.</summary>
    /// <returns>How many were removed.</returns>
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
