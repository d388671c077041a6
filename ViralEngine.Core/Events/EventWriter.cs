using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Events;

/// <summary>
/// Stores events together with their change. The subject's row assigns their numbers, under its lock.
/// </summary>
internal static class EventWriter
{
    public static void AddTo(DbBatch batch, TenantId tenant, Guid subjectId, IReadOnlyList<NewEvent> events)
    {
        if (events.Count == 0)
            return;
        batch.Add(
            """
            INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
            SELECT $1, $2, event.number, event.type, event.data::jsonb, now()
            FROM unnest($3::integer[], $4::text[], $5::text[]) AS event (number, type, data)
            """,
            [
                tenant.Value, subjectId, events.Select(each => each.Number).ToArray(),
                events.Select(each => each.Type).ToArray(), events.Select(each => each.Data.ToJsonString()).ToArray(),
            ]);
    }
}
