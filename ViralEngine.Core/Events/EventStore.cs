using System.Text.Json;
using Npgsql;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Events;

/// <summary>Reads the events of tasks, batches and workflows.</summary>
public sealed class EventStore(Db db)
{
    /// <summary>
    /// The events after number <paramref name="after"/>, in order, and whether the subject has ended with them. Null if
    /// the subject does not exist.
    /// </summary>
    /// <param name="head"> The feature's own statement for the subject: whether it has ended, and its last event's
    /// number, by tenant ($1) and id ($2). </param>
    public async Task<EventPage?> ReadAsync(
        TenantId tenant, string head, Guid subjectId, int after, int limit, CancellationToken ct)
    {
        await using var batch = db.Batch(tenant)
            .Add(head, [tenant.Value, subjectId])
            .Add(
                """
                SELECT number, type, data::text, created_at
                FROM viral.events
                WHERE tenant_id = $1 AND subject_id = $2 AND number > $3
                ORDER BY number
                LIMIT $4
                """,
                [tenant.Value, subjectId, after, limit]);
        await using var reader = await batch.ExecuteReaderAsync(ct);

        if (!await reader.ReadAsync(ct))
            return null;
        var ended = reader.GetBoolean(0);
        var lastNumber = reader.GetInt32(1);
        await reader.NextResultAsync(ct);
        var events = new List<Event>();
        while (await reader.ReadAsync(ct))
            events.Add(Read(reader));

        // The two statements have separate snapshots: an end without its event is read again.
        var last = events is [.., var newest] ? newest.Number : after;
        return new EventPage(
            events, Math.Max(lastNumber, events is [.., var end] ? end.Number : 0), ended && last >= lastNumber,
            last < lastNumber && events.Count == limit);
    }

    private static Event Read(NpgsqlDataReader row) =>
        new(row.GetInt32(0), row.GetString(1), JsonElement.Parse(row.GetString(2)), row.GetDateTime(3));
}
