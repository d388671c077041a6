using Npgsql;

namespace ViralEngine.Core.Storage;

/// <summary>
/// One invocation's way to PostgreSQL. Each call is one round trip and one transaction: the scope (role and tenant) is set
/// in the same batch as the statement, so that a connection pooler in transaction mode works. After
/// <see cref="BeginAsync"/> the calls that follow share one transaction until <see cref="CommitAsync"/>. Transactions nest by
/// joining: what is begun inside another is committed with it. Not for concurrent use.
/// </summary>
public sealed class Db(NpgsqlDataSource dataSource) : IAsyncDisposable
{
    private readonly List<Func<CancellationToken, Task>> afterCommit = [];
    private NpgsqlConnection? connection;
    private NpgsqlTransaction? transaction;
    private int joined;
    private bool held;

    /// <summary>Runs a statement and returns the rows it gives, each read by <paramref name="read"/>.</summary>
    public async Task<List<T>> QueryAsync<T>(
        DbScope scope, string sql, object?[] args, Func<NpgsqlDataReader, T> read, CancellationToken ct)
    {
        var rows = new List<T>();
        await using var batch = new DbBatch(this, scope).Add(sql, args);
        await using var reader = await batch.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            rows.Add(read(reader));
        return rows;
    }

    /// <summary>Runs a statement and returns its first row, or the default where it gives none.</summary>
    public async Task<T?> QueryOneAsync<T>(
        DbScope scope, string sql, object?[] args, Func<NpgsqlDataReader, T> read, CancellationToken ct)
    {
        await using var batch = new DbBatch(this, scope).Add(sql, args);
        await using var reader = await batch.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? read(reader) : default;
    }

    /// <summary>Runs a statement and returns how many rows it changed.</summary>
    public async Task<int> ExecuteAsync(DbScope scope, string sql, object?[] args, CancellationToken ct)
    {
        await using var batch = new DbBatch(this, scope).Add(sql, args);
        return await batch.ExecuteAsync(ct);
    }

    /// <summary>Several statements in one round trip and, outside a transaction begun here, one transaction.</summary>
    public DbBatch Batch(DbScope scope) => new(this, scope);

    /// <summary>After which a statement is given up by the server; null: by nobody but the driver.</summary>
    public TimeSpan? StatementTimeout { get; set; }

    public bool InTransaction => transaction is not null;

    /// <summary>
    /// Opens a transaction that all later calls share, until <see cref="CommitAsync"/> or disposal; inside another it joins that.
    /// </summary>
    public async Task BeginAsync(CancellationToken ct)
    {
        if (transaction is not null)
        {
            joined++;
            return;
        }

        connection = await dataSource.OpenConnectionAsync(ct);
        transaction = await connection.BeginTransactionAsync(ct);
    }

    /// <summary>
    /// Leaves the next commit to be made again: the transaction that is to end with it stays open for one thing more, such as the
    /// record of an answer.
    /// </summary>
    public void HoldCommit() => held = true;

    /// <summary>Commits, then runs what waited for it; inside another transaction it leaves both to that one.</summary>
    /// <exception cref="InvalidOperationException">There is none, or a <see cref="RollbackAsync"/> inside has ended it.</exception>
    public async Task CommitAsync(CancellationToken ct)
    {
        if (transaction is null)
            throw new InvalidOperationException("No transaction is open.");
        if (joined > 0)
        {
            joined--;
            return;
        }

        if (held)
        {
            held = false;
            return;
        }

        await transaction.CommitAsync(ct);
        await CloseAsync();

        var actions = afterCommit.ToArray();
        afterCommit.Clear();
        foreach (var action in actions)
            await action(ct);
    }

    /// <summary>Gives the transaction up, with all that joined it and what waited for its end.</summary>
    public async Task RollbackAsync()
    {
        joined = 0;
        held = false;
        afterCommit.Clear();
        await CloseAsync();
    }

    /// <summary>
    /// Runs the action once what was written is committed: at once outside a transaction, never when it is rolled back.
    /// For what must not be seen before the rows are, such as starting an orchestration.
    /// </summary>
    public Task AfterCommitAsync(Func<CancellationToken, Task> action, CancellationToken ct)
    {
        if (transaction is null)
            return action(ct);
        afterCommit.Add(action);
        return Task.CompletedTask;
    }

    /// <summary>The connection of the open transaction with the scope entered, for COPY.</summary>
    public async Task<NpgsqlConnection> EnterAsync(DbScope scope, CancellationToken ct)
    {
        if (connection is null)
            throw new InvalidOperationException("COPY requires a transaction: call BeginAsync first.");
        await using var batch = new NpgsqlBatch(connection, transaction) { BatchCommands = { scope.Enter(StatementTimeout) } };
        await batch.ExecuteNonQueryAsync(ct);
        return connection;
    }

    public async ValueTask DisposeAsync() => await RollbackAsync();

    internal NpgsqlBatch CreateBatch() =>
        connection is null ? dataSource.CreateBatch() : new NpgsqlBatch(connection, transaction);

    private async Task CloseAsync()
    {
        if (transaction is not null)
            await transaction.DisposeAsync();
        if (connection is not null)
            await connection.DisposeAsync();
        transaction = null;
        connection = null;
    }
}
