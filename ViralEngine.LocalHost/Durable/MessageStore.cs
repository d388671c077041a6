using static ViralEngine.LocalHost.Durable.DurableDatabase;

namespace ViralEngine.LocalHost.Durable;

/// <summary>Puts messages into the inboxes of instances that have not finished; others never hear of them.</summary>
internal sealed class MessageStore(DurableDatabase database)
{
    /// <returns>For each, in order, whether there was such an instance.</returns>
    public async Task<IReadOnlyList<bool>> SendAsync(IReadOnlyList<Message> messages, CancellationToken ct)
    {
        await using var batch = database.Batch(Statement(
            """
            WITH receiver AS (
                SELECT instance_id
                FROM local_durable.instances
                WHERE instance_id = ANY ($1) AND status IN (0, 6, 7)
                ORDER BY instance_id
                FOR NO KEY UPDATE
            ),
            sent AS (
                INSERT INTO local_durable.inbox (instance_id, event)
                SELECT s.instance_id, s.event
                FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS s (instance_id, event, n)
                JOIN receiver USING (instance_id)
                WHERE s.event IS NOT NULL
                ORDER BY s.n
            )
            UPDATE local_durable.instances i
            SET due_at = LEAST(i.due_at, now())
            FROM receiver
            WHERE i.instance_id = receiver.instance_id
            RETURNING i.instance_id
            """,
            Parameter.Column(messages, message => message.InstanceId),
            Parameter.Column(messages, message => message.Event is { } value ? DurableJson.Write(value) : null)));
        var reached = new HashSet<string>(StringComparer.Ordinal);
        await using var reader = await batch.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct)) reached.Add(reader.GetString(0));
        return [.. messages.Select(message => reached.Contains(message.InstanceId))];
    }
}

/// <param name="InstanceId">Who gets it.</param>
/// <param name="Event">What; null to have the instance looked at and nothing else.</param>
internal sealed record Message(string InstanceId, StoredEvent? Event);
