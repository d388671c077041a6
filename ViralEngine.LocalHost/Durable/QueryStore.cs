using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Microsoft.DurableTask.Protobuf;
using Npgsql;

namespace ViralEngine.LocalHost.Durable;

/// <summary>Reads how instances stand.</summary>
internal sealed class QueryStore(DurableDatabase database)
{
    public async Task<OrchestrationState?> FindAsync(string instanceId, bool withData, CancellationToken ct)
    {
        await using var command = database.Source.CreateCommand(
            """
            SELECT
                instance_id,
                name,
                status,
                created_at,
                updated_at,
                tags,
                CASE WHEN $2 THEN input END,
                CASE WHEN $2 THEN output END,
                CASE WHEN $2 THEN custom_status END,
                CASE WHEN $2 THEN failure END
            FROM local_durable.instances
            WHERE instance_id = $1
            """);
        command.Parameters.Add(Parameter.Of(instanceId));
        command.Parameters.Add(Parameter.Of(withData));
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? Read(reader) : null;
    }

    /// <summary>One page in the order of ids, after the one that the last page ended with.</summary>
    public async Task<IReadOnlyList<OrchestrationState>> PageAsync(InstanceQuery query, int size, CancellationToken ct)
    {
        await using var command = database.Source.CreateCommand(
            """
            SELECT
                instance_id,
                name,
                status,
                created_at,
                updated_at,
                tags,
                CASE WHEN $7 THEN input END,
                CASE WHEN $7 THEN output END,
                CASE WHEN $7 THEN custom_status END,
                CASE WHEN $7 THEN failure END
            FROM local_durable.instances
            WHERE instance_id > $1
                AND starts_with(instance_id, $2)
                AND created_at >= $3
                AND created_at <= $4
                AND ($5::smallint[] IS NULL OR status = ANY ($5))
            ORDER BY instance_id
            LIMIT $6
            """);
        var statuses = query.RuntimeStatus.Count == 0
            ? null
            : query.RuntimeStatus.Select(status => (short)status).ToArray();
        command.Parameters.Add(Parameter.Of(query.ContinuationToken ?? ""));
        command.Parameters.Add(Parameter.Of(query.InstanceIdPrefix ?? ""));
        command.Parameters.Add(
            Parameter.Of(query.CreatedTimeFrom?.ToDateTime() ?? DateTime.MinValue.ToUniversalTime()));
        command.Parameters.Add(Parameter.Of(query.CreatedTimeTo?.ToDateTime() ?? DateTime.MaxValue.ToUniversalTime()));
        command.Parameters.Add(Parameter.Shorts(statuses));
        command.Parameters.Add(Parameter.Of(size));
        command.Parameters.Add(Parameter.Of(query.FetchInputsAndOutputs));
        await using var reader = await command.ExecuteReaderAsync(ct);
        var found = new List<OrchestrationState>();
        while (await reader.ReadAsync(ct)) found.Add(Read(reader));
        return found;
    }

    /// <summary>Events in the history of the instance's present execution.</summary>
    public async Task<int> HistoryLengthAsync(string instanceId, CancellationToken ct)
    {
        await using var command = database.Source.CreateCommand(
            """
            SELECT COALESCE(sum(h.event_count), 0)::int
            FROM local_durable.instances i
            JOIN local_durable.history h USING (instance_id, execution_id)
            WHERE i.instance_id = $1
            """);
        command.Parameters.Add(Parameter.Of(instanceId));
        return (int)(await command.ExecuteScalarAsync(ct))!;
    }

    private static OrchestrationState Read(NpgsqlDataReader reader)
    {
        var state = new OrchestrationState
        {
            InstanceId = reader.GetString(0),
            Name = reader.GetString(1),
            OrchestrationStatus = (OrchestrationStatus)reader.GetInt16(2),
            CreatedTimestamp = Timestamp.FromDateTime(reader.GetDateTime(3)),
            LastUpdatedTimestamp = Timestamp.FromDateTime(reader.GetDateTime(4)),
            Input = Text(reader, 6),
            Output = Text(reader, 7),
            CustomStatus = Text(reader, 8),
            FailureDetails = DurableJson.ReadFailure(Text(reader, 9))?.ToDetails(),
        };
        if (Text(reader, 5) is { } tags)
            state.Tags.Add(JsonSerializer.Deserialize(tags, DurableJson.Default.DictionaryStringString)!);
        return state;
    }

    private static string? Text(NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetString(column);
}
