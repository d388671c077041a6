using Npgsql;

namespace ViralEngine.Core.Storage;

/// <summary>
/// PostgreSQL access for one invocation. Each call is one round trip and one transaction: the scope (role and tenant)
/// is set in the same batch as the statement, so that a pooler in transaction mode works. After <see
/// cref="BeginAsync"/>, calls share one transaction until
/// <see cref="CommitAsync"/>. Nested transactions join the outer one. Not thread-safe.
/// </summary>
public sealed class Db(NpgsqlDataSource dataSource) : IAsyncDisposable
{
    private readonly List<Func<CancellationToken, Task>> afterCommit = [];
    private NpgsqlConnection? connection;
    private NpgsqlTransaction? transaction;
    private int joined;
    private bool held;

    /// <summary>Runs a statement and returns its rows, each read by <paramref name="read"/>.</summary>
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

    /// <summary>Runs a statement and returns its first row, or the default if there is none.</summary>
    public async Task<T?> QueryOneAsync<T>(
        DbScope scope, string sql, object?[] args, Func<NpgsqlDataReader, T> read, CancellationToken ct)
    {
        await using var batch = new DbBatch(this, scope).Add(sql, args);
        await using var reader = await batch.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? read(reader) : default;
    }

    /// <summary>Runs a statement and returns the number of rows changed.</summary>
    public async Task<int> ExecuteAsync(DbScope scope, string sql, object?[] args, CancellationToken ct)
    {
        await using var batch = new DbBatch(this, scope).Add(sql, args);
        return await batch.ExecuteAsync(ct);
    }

    /// <summary>Sets the clock by the database's.</summary>
    public async Task SetAsync(DatabaseClock clock, CancellationToken ct) => clock.Set(
        await QueryOneAsync(DbScope.AllTenants, "SELECT clock_timestamp()", [], row => row.GetDateTime(0), ct));

    /// <summary>Several statements in one round trip and, outside a transaction begun here, one transaction.</summary>
    public DbBatch Batch(DbScope scope) => new(this, scope);

    /// <summary>The server's statement time-out; null for the driver's only.</summary>
    public TimeSpan? StatementTimeout { get; set; }

    public bool InTransaction => transaction is not null;

    internal Outage Outage { get; } = Outage.Of(dataSource);

    /// <summary>
    /// Opens a transaction that all later calls share until <see cref="CommitAsync"/> or disposal; inside another,
    /// joins it.
    /// </summary>
    public async Task BeginAsync(CancellationToken ct)
    {
        if (transaction is not null)
        {
            joined++;
            return;
        }

        connection = await Outage.WatchAsync(dataSource.OpenConnectionAsync(ct).AsTask());
        // It is sent with the first statement.
        transaction = await connection.BeginTransactionAsync(ct);
    }

    /// <summary>
    /// Defers the next commit: the transaction stays open for one more write, such as the record of a response.
    /// </summary>
    public void HoldCommit() => held = true;

    /// <summary>
    /// Commits, then runs the actions that waited for it; inside another transaction, leaves both to the outer one.
    /// </summary>
    /// <exception cref="InvalidOperationException">No transaction is open, or a nested <see cref="RollbackAsync"/>
    /// ended it.</exception>
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

    /// <summary>
    /// Rolls back the transaction with everything that joined it, and drops the actions that waited for it.
    /// </summary>
    public async Task RollbackAsync()
    {
        joined = 0;
        held = false;
        afterCommit.Clear();
        await CloseAsync();
    }

    /// <summary>
    /// Runs the action after the commit: immediately outside a transaction, never after a rollback. For effects that
    /// must not precede the rows, such as starting an orchestration.
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
        await using var batch = new NpgsqlBatch(
            connection, transaction)
        { BatchCommands = { scope.Enter(StatementTimeout) } };
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
