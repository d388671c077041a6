using System.Text.Json;
using Npgsql;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tasks;

/// <summary>Reads what happened to tasks.</summary>
public sealed class TaskEventStore(Db db)
{
    /// <summary>
    /// The events after number <paramref name="after"/>, in order, and whether the task has ended: then the list is its last.
    /// Null: no such task.
    /// </summary>
    public async Task<TaskEvents?> ReadAsync(TenantId tenant, Guid taskId, int after, int limit, CancellationToken ct)
    {
        await using var batch = db.Batch(tenant)
            .Add(
                "SELECT status, last_event FROM viral.tasks WHERE tenant_id = $1 AND id = $2",
                [tenant.Value, taskId])
            .Add(
                """
                SELECT number, type, data::text, created_at
                FROM viral.task_events
                WHERE tenant_id = $1 AND task_id = $2 AND number > $3
                ORDER BY number
                LIMIT $4
                """,
                [tenant.Value, taskId, after, limit]);
        await using var reader = await batch.ExecuteReaderAsync(ct);

        if (!await reader.ReadAsync(ct))
            return null;
        var status = AgentTaskStatuses.Parse(reader.GetString(0))!.Value;
        var lastEvent = reader.GetInt32(1);
        await reader.NextResultAsync(ct);
        var events = new List<TaskEvent>();
        while (await reader.ReadAsync(ct))
            events.Add(Read(reader));

        // The two statements see one snapshot each: an end seen without its event is looked at again.
        var last = events is [.., var newest] ? newest.Number : after;
        return new TaskEvents(events, status.IsTerminal() && last >= lastEvent, last < lastEvent);
    }

    private static TaskEvent Read(NpgsqlDataReader row) =>
        new(row.GetInt32(0), row.GetString(1), JsonElement.Parse(row.GetString(2)), row.GetDateTime(3));
}

/// <param name="Ended">The task has ended and these are its last events.</param>
/// <param name="More">There are more than were asked for.</param>
public sealed record TaskEvents(IReadOnlyList<TaskEvent> Items, bool Ended, bool More);
