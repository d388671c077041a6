using System.Text.Json;
using Npgsql;

namespace ViralEngine.Torture.Promises;

/// <summary>What the database holds when everything is over.</summary>
internal sealed class Rows
{
    public required IReadOnlyDictionary<Guid, TaskRow> Tasks { get; init; }

    public required IReadOnlyDictionary<Guid, BatchRow> Batches { get; init; }

    public required ILookup<Guid, ItemRow> Items { get; init; }

    public required IReadOnlyDictionary<Guid, WorkflowRow> Workflows { get; init; }

    public required ILookup<Guid, GateRow> Gates { get; init; }

    /// <summary>By the gate's id.</summary>
    public required ILookup<Guid, DecisionRow> Decisions { get; init; }

    /// <summary>Of each subject, in order.</summary>
    public required ILookup<Guid, EventRow> Events { get; init; }

    public required IReadOnlyList<DeliveryRow> Deliveries { get; init; }

    public required IReadOnlyList<SpendingRow> Spending { get; init; }

    public static async Task<Rows> ReadAsync(NpgsqlConnection database) => new()
    {
        Tasks = (await QueryAsync(
            database,
            """
            SELECT id, tenant_id, status, description, result, run, attempt, lost_attempts, cost_usd, last_event,
                   workflow_id,
                   metadata ->> 'step'
            FROM viral.tasks
            """,
            row => new TaskRow(
                row.GetGuid(0), row.GetGuid(1), row.GetString(2), row.GetString(3), Text(row, 4), row.GetInt32(5),
                row.GetInt32(6),
                row.GetInt32(7), Number(row, 8), row.GetInt32(9), row.IsDBNull(10) ? null : row.GetGuid(10),
                Text(row, 11))))
            .ToDictionary(task => task.Id),
        Batches = (await QueryAsync(
            database,
            """
            SELECT batch.id, batch.tenant_id, batch.name, batch.status, batch.run, batch.total_items, batch.last_event,
                   counted.completed, counted.failed, counted.cancelled, counted.cost_usd
            FROM viral.batches AS batch
            CROSS JOIN LATERAL (
                SELECT COALESCE(sum(completed), 0), COALESCE(sum(failed), 0), COALESCE(sum(cancelled), 0),
                       COALESCE(sum(cost_usd), 0)
                FROM viral.batch_lanes AS lane
                WHERE lane.batch_id = batch.id
            ) AS counted (completed, failed, cancelled, cost_usd)
            """,
            row => new BatchRow(
                row.GetGuid(0), row.GetGuid(1), row.GetString(2), row.GetString(3), row.GetInt32(4), row.GetInt32(5),
                row.GetInt32(6),
                row.GetInt64(7), row.GetInt64(8), row.GetInt64(9), row.GetDecimal(10))))
            .ToDictionary(batch => batch.Id),
        Items = (await QueryAsync(
            database,
            "SELECT batch_id, number, description, status, result, attempt, cost_usd FROM viral.batch_items "
            + "ORDER BY batch_id, number",
            row => new ItemRow(
                row.GetGuid(0), row.GetInt32(1), row.GetString(2), row.GetString(3), Text(row, 4), row.GetInt32(5),
                Number(row, 6))))
            .ToLookup(item => item.Batch),
        Workflows = (await QueryAsync(
            database,
            "SELECT id, tenant_id, name, status, run, last_event FROM viral.workflows",
            row => new WorkflowRow(
                row.GetGuid(0), row.GetGuid(1), row.GetString(2), row.GetString(3), row.GetInt32(4), row.GetInt32(5))))
            .ToDictionary(workflow => workflow.Id),
        Gates = (await QueryAsync(
            database,
            "SELECT id, workflow_id, run, status, quorum FROM viral.approval_gates ORDER BY workflow_id, run",
            row => new GateRow(row.GetGuid(0), row.GetGuid(1), row.GetInt32(2), row.GetString(3), row.GetInt32(4))))
            .ToLookup(gate => gate.Workflow),
        Decisions = (await QueryAsync(
            database,
            "SELECT gate, decider, decision FROM viral.approval_decisions",
            row => new DecisionRow(row.GetGuid(0), row.GetString(1), row.GetString(2))))
            .ToLookup(decision => decision.Gate),
        Events = (await QueryAsync(
            database,
            "SELECT tenant_id, subject_id, number, type, data::text FROM viral.events ORDER BY subject_id, number",
            row => new EventRow(row.GetGuid(0), row.GetGuid(1), row.GetInt32(2), row.GetString(3), row.GetString(4))))
            .ToLookup(happened => happened.Subject),
        Deliveries = await QueryAsync(
            database,
            """
            SELECT tenant_id, endpoint_id, message_id, event_type, subject_id, number, status, attempts
            FROM viral.webhook_deliveries
            """,
            row => new DeliveryRow(
                row.GetGuid(0), row.GetGuid(1), row.GetGuid(2), row.GetString(3), row.GetGuid(4), row.GetInt32(5),
                row.GetString(6),
                row.GetInt32(7))),
        Spending = await QueryAsync(
            database,
            """
            SELECT spending.tenant_id, spending.agent_id, sum(spending.spent_usd), sum(spending.reserved_usd),
                   COALESCE((
                       SELECT sum(reservation.amount_usd)
                       FROM viral.reservations AS reservation
                       WHERE reservation.tenant_id = spending.tenant_id
                           AND spending.agent_id = ANY (reservation.agent_ids)), 0)
            FROM viral.spending AS spending
            GROUP BY spending.tenant_id, spending.agent_id
            """,
            row => new SpendingRow(
                row.GetGuid(0), row.GetString(1), row.GetDecimal(2), row.GetDecimal(3), row.GetDecimal(4))),
    };

    public static async Task<List<T>> QueryAsync<T>(
        NpgsqlConnection database, string sql, Func<NpgsqlDataReader, T> read)
    {
        await using var command = new NpgsqlCommand(sql, database);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<T>();
        while (await reader.ReadAsync())
            rows.Add(read(reader));
        return rows;
    }

    /// <summary>The events of a subject, for the report of a violation.</summary>
    public string HistoryOf(Guid subject) => string.Join(
        "\n", Events[subject].Select(happened => $"      {happened.Number} {happened.Type} {happened.Data}"));

    private static string? Text(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetString(column);

    private static decimal Number(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? 0 : row.GetDecimal(column);
}

internal sealed record TaskRow(
    Guid Id, Guid Tenant, string Status, string Description, string? Result, int Run, int Attempt, int Lost,
    decimal Cost, int LastEvent,
    Guid? Workflow, string? Step);

internal sealed record BatchRow(
    Guid Id, Guid Tenant, string Name, string Status, int Run, int Total, int LastEvent, long Completed, long Failed,
    long Cancelled, decimal Cost);

internal sealed record ItemRow(
    Guid Batch, int Number, string Description, string Status, string? Result, int Attempt, decimal Cost);

internal sealed record WorkflowRow(Guid Id, Guid Tenant, string Name, string Status, int Run, int LastEvent);

internal sealed record GateRow(Guid Id, Guid Workflow, int Run, string Status, int Quorum);

internal sealed record DecisionRow(Guid Gate, string Decider, string Decision);

internal sealed record EventRow(Guid Tenant, Guid Subject, int Number, string Type, string Data)
{
    public JsonElement Json => JsonElement.Parse(Data);
}

internal sealed record DeliveryRow(
    Guid Tenant, Guid Endpoint, Guid Message, string Type, Guid Subject, int Number, string Status, int Attempts);

internal sealed record SpendingRow(Guid Tenant, string Agent, decimal Spent, decimal Reserved, decimal OfReservations);
