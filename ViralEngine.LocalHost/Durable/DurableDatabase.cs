using Microsoft.Extensions.Options;
using Npgsql;

namespace ViralEngine.LocalHost.Durable;

/// <summary>The engine's own connections to the database that holds the orchestrations.</summary>
internal sealed class DurableDatabase : IAsyncDisposable
{
    public const string Channel = "local_durable";

    public DurableDatabase(IOptions<DurableOptions> options)
    {
        var builder = new NpgsqlDataSourceBuilder(options.Value.ConnectionString);
        var settings = builder.ConnectionStringBuilder;
        settings.ApplicationName = "viral-engine-durable";
        settings.NoResetOnClose = true;
        settings.Enlist = false;
        settings.MaxPoolSize = 12;
        settings.MaxAutoPrepare = options.Value.Prepare ? 64 : 0;
        settings.AutoPrepareMinUsages = 2;
        if (options.Value.Prepare) builder.UsePhysicalConnectionInitializer(SetPlanner, SetPlannerAsync);
        Source = builder.Build();
    }

    public NpgsqlDataSource Source { get; }

    // A prepared statement keeps the plan from when the tables were small and sequential scans cheapest. Every
    // statement here is written for an index, so sequential scans are disabled.
    private const string Planner =
        """
        SET enable_seqscan = off;
        SET enable_hashjoin = off;
        SET enable_mergejoin = off;
        SET jit = off;
        """;

    /// <summary>Whether a retry may help: the server was unreachable, or transactions deadlocked.</summary>
    public static bool IsTransient(Exception exception) => exception switch
    {
        PostgresException failed => failed.IsTransient
            || failed.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure
            || failed.SqlState.StartsWith("57P", StringComparison.Ordinal)
            || failed.SqlState == PostgresErrorCodes.ReadOnlySqlTransaction
            // PgBouncer's error when it cannot reach the server.
            || failed is { SqlState: PostgresErrorCodes.ProtocolViolation, Severity: "FATAL" },
        NpgsqlException or TimeoutException or IOException or System.Net.Sockets.SocketException => true,
        _ => false,
    };

    public NpgsqlBatch Batch(params ReadOnlySpan<NpgsqlBatchCommand> commands)
    {
        var batch = Source.CreateBatch();
        foreach (var command in commands) batch.BatchCommands.Add(command);
        return batch;
    }

    public static NpgsqlBatchCommand Statement(string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters) command.Parameters.Add(parameter);
        return command;
    }

    public ValueTask DisposeAsync() => Source.DisposeAsync();

    private static void SetPlanner(NpgsqlConnection connection)
    {
        using var command = new NpgsqlCommand(Planner, connection);
        command.ExecuteNonQuery();
    }

    private static async Task SetPlannerAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand(Planner, connection);
        await command.ExecuteNonQueryAsync();
    }
}
