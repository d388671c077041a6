using Microsoft.Extensions.Options;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Webhooks;

/// <summary>Removes messages, deliveries and attempts past their retention, and those of deleted endpoints.</summary>
public sealed class WebhookSweeper(Db db, IOptions<WebhooksOptions> options)
{
    private const int PageSize = 5000;

    /// <summary>Safe to run while the app is running, and again after a crash.</summary>
    /// <returns>The number of messages removed.</returns>
    public async Task<int> RunAsync(CancellationToken ct)
    {
        var (removed, page) = (0, PageSize);
        while (page == PageSize)
        {
            page = await db.QueryOneAsync(
                DbScope.AllTenants,
                """
                WITH old AS (
                    SELECT tenant_id, id
                    FROM viral.webhook_messages
                    WHERE created_at < now() - make_interval(days => $1)
                    LIMIT $2
                ), deliveries AS (
                    DELETE FROM viral.webhook_deliveries AS delivery
                    USING old
                    WHERE delivery.tenant_id = old.tenant_id AND delivery.message_id = old.id
                ), messages AS (
                    DELETE FROM viral.webhook_messages AS message
                    USING old
                    WHERE message.tenant_id = old.tenant_id AND message.id = old.id
                    RETURNING message.id
                )
                SELECT count(*)::integer
                FROM messages
                """,
                [options.Value.RetentionDays, PageSize],
                row => row.GetInt32(0),
                ct);
            removed += page;
        }

        return removed;
    }
}
