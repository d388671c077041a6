using Npgsql;

namespace ViralEngine.Core.Storage;

/// <summary>Statements sent in one round trip, under one scope.</summary>
public sealed class DbBatch : IAsyncDisposable
{
    private readonly NpgsqlBatch batch;
    private readonly Outage outage;

    internal DbBatch(Db db, DbScope scope)
    {
        outage = db.Outage;
        batch = db.CreateBatch();
        batch.BatchCommands.Add(scope.Enter(db.StatementTimeout));
    }

    /// <summary>Adds a statement; <paramref name="args"/> are its $1, $2, … in order.</summary>
    public DbBatch Add(string sql, object?[] args)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var arg in args)
            command.Parameters.Add(Parameter(arg));
        batch.BatchCommands.Add(command);
        return this;
    }

    /// <summary>Runs all statements and positions the reader at the first statement's result.</summary>
    public async Task<NpgsqlDataReader> ExecuteReaderAsync(CancellationToken ct)
    {
        var reader = await StartAsync(ct);
        try
        {
            await reader.NextResultAsync(ct); // skips the scope's row
            return reader;
        }
        catch
        {
            // A failed statement must not keep the connection.
            await reader.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs all statements and returns the total number of rows changed.</summary>
    public async Task<int> ExecuteAsync(CancellationToken ct)
    {
        await using var reader = await StartAsync(ct);
        while (await reader.NextResultAsync(ct))
        {
        }

        return Math.Max(reader.RecordsAffected, 0);
    }

    public ValueTask DisposeAsync() => batch.DisposeAsync();

    private Task<NpgsqlDataReader> StartAsync(CancellationToken ct) => outage.WatchAsync(batch.ExecuteReaderAsync(ct));

    /// <summary>Common types are passed typed, to save the driver from resolving them.</summary>
    private static NpgsqlParameter Parameter(object? arg) => arg switch
    {
        Guid id => new NpgsqlParameter<Guid> { TypedValue = id },
        string text => new NpgsqlParameter<string> { TypedValue = text },
        int number => new NpgsqlParameter<int> { TypedValue = number },
        _ => new NpgsqlParameter { Value = arg ?? DBNull.Value },
    };
}
