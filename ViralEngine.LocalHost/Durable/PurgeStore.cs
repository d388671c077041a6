using Microsoft.DurableTask.Protobuf;
using Npgsql;

namespace ViralEngine.LocalHost.Durable;

/// <summary>Removes finished instances with all that belongs to them.</summary>
internal sealed class PurgeStore(DurableDatabase database)
{
    private const int GroupSize = 500;

    /// <summary>
    /// How many were removed: the instances, and with <paramref name="recursive"/> those they called.
    /// </summary>
    public async Task<int> PurgeAsync(IReadOnlyList<string> instanceIds, bool recursive, CancellationToken ct)
    {
        await using var command = database.Source.CreateCommand(
            """
            WITH RECURSIVE family AS (
                SELECT instance_id
                FROM local_durable.instances
                WHERE instance_id = ANY ($1) AND status NOT IN (0, 6, 7)
                UNION
                SELECT child.instance_id
                FROM family
                JOIN local_durable.instances child ON child.parent_id = family.instance_id
                WHERE $2
            )
            SELECT instance_id FROM family
            """);
        command.Parameters.Add(Parameter.Column(instanceIds, id => id));
        command.Parameters.Add(Parameter.Of(recursive));
        return await RemoveAsync(await ReadIdsAsync(command, ct), ct);
    }

    /// <summary>Removes what the filter admits, in groups, until nothing is left or the time is over.</summary>
    public async Task<PurgeInstancesResponse> PurgeAsync(
        PurgeInstanceFilter filter, bool recursive, CancellationToken ct)
    {
        var statuses = filter.RuntimeStatus.Count == 0
            ? null
            : filter.RuntimeStatus.Select(status => (short)status).ToArray();
        var begun = TimeProvider.System.GetTimestamp();
        var count = 0;
        while (filter.Timeout is not { } limit || TimeProvider.System.GetElapsedTime(begun) < limit.ToTimeSpan())
        {
            await using var command = database.Source.CreateCommand(
                """
                SELECT instance_id
                FROM local_durable.instances
                WHERE status NOT IN (0, 6, 7)
                    AND created_at >= $1
                    AND created_at <= $2
                    AND ($3::smallint[] IS NULL OR status = ANY ($3))
                LIMIT $4
                """);
            command.Parameters.Add(
                Parameter.Of(filter.CreatedTimeFrom?.ToDateTime() ?? DateTime.MinValue.ToUniversalTime()));
            command.Parameters.Add(
                Parameter.Of(filter.CreatedTimeTo?.ToDateTime() ?? DateTime.MaxValue.ToUniversalTime()));
            command.Parameters.Add(Parameter.Shorts(statuses));
            command.Parameters.Add(Parameter.Of(GroupSize));
            var ids = await ReadIdsAsync(command, ct);
            if (ids.Count == 0) return new() { DeletedInstanceCount = count, IsComplete = true };
            count += recursive ? await PurgeAsync(ids, true, ct) : await RemoveAsync(ids, ct);
        }

        return new() { DeletedInstanceCount = count, IsComplete = false };
    }

    private async Task<int> RemoveAsync(List<string> ids, CancellationToken ct)
    {
        if (ids.Count == 0) return 0;
        await using var command = database.Source.CreateCommand(
            """
            WITH gone AS (
                DELETE FROM local_durable.instances
                WHERE instance_id = ANY ($1) AND status NOT IN (0, 6, 7)
                RETURNING instance_id
            ),
            history AS (
                DELETE FROM local_durable.history h USING gone WHERE h.instance_id = gone.instance_id
            ),
            inbox AS (
                DELETE FROM local_durable.inbox m USING gone WHERE m.instance_id = gone.instance_id
            ),
            activities AS (
                DELETE FROM local_durable.activities a USING gone WHERE a.instance_id = gone.instance_id
            )
            SELECT count(*)::int FROM gone
            """);
        command.Parameters.Add(Parameter.Column(ids, id => id));
        return (int)(await command.ExecuteScalarAsync(ct))!;
    }

    private static async Task<List<string>> ReadIdsAsync(NpgsqlCommand command, CancellationToken ct)
    {
        await using var reader = await command.ExecuteReaderAsync(ct);
        var ids = new List<string>();
        while (await reader.ReadAsync(ct)) ids.Add(reader.GetString(0));
        return ids;
    }
}
