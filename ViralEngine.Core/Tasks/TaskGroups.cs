using Npgsql;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tasks;

/// <summary>
/// Groups concurrent reads and writes of single tasks into few statements, because a round trip or commit costs the
/// same for one task as for many. Each statement is for one tenant, under its row-level security.
/// </summary>
public sealed class TaskGroups
{
    /// <summary>How many groups run concurrently; one tenant's groups run one after the other.</summary>
    private const int Rows = 8;

    /// <summary>The maximum number of tasks per read, because tasks may be large.</summary>
    private const int MaxRead = 32;

    private readonly NpgsqlDataSource dataSource;
    private readonly GroupRunner<(TenantId Tenant, NewTask Task), DateTime?>[] additions;
    private readonly GroupRunner<(TenantId Tenant, Guid TaskId), AgentTask?>[] reads;
    private readonly GroupRunner<(TenantId Tenant, FinishedAttempt Attempt), bool>[] completions;

    public TaskGroups(NpgsqlDataSource dataSource)
    {
        this.dataSource = dataSource;
        additions = InRows<NewTask, DateTime?>(task => task.Id, TaskGroupStore.InsertAsync);
        reads = InRows<Guid, AgentTask?>(_ => null, TaskGroupStore.ReadAsync, MaxRead);
        completions = InRows<FinishedAttempt, bool>(attempt => attempt.TaskId, TaskGroupStore.CompleteAsync);
    }

    /// <summary>Stores a task. Returns its creation time, or null if this month's tasks are used up.</summary>
    internal Task<DateTime?> AddAsync(TenantId tenant, NewTask task) =>
        RowOf(additions, tenant).RunAsync((tenant, task));

    /// <summary>Reads a task; null if it does not exist.</summary>
    internal Task<AgentTask?> ReadAsync(TenantId tenant, Guid taskId) =>
        RowOf(reads, tenant).RunAsync((tenant, taskId));

    /// <summary>Ends a task with its answer; false if the lease was lost and nothing changed.</summary>
    internal Task<bool> CompleteAsync(TenantId tenant, FinishedAttempt attempt) =>
        RowOf(completions, tenant).RunAsync((tenant, attempt));

    private static T RowOf<T>(T[] rows, TenantId tenant) => rows[(uint)tenant.GetHashCode() % Rows];

    private GroupRunner<(TenantId Tenant, TItem Item), TResult>[] InRows<TItem, TResult>(
        Func<TItem, object?> keyOf,
        Func<Db, TenantId, IReadOnlyList<TItem>, CancellationToken, Task<IReadOnlyList<TResult>>> runAsync,
        int largestGroup = 256)
    {
        return [.. Enumerable.Range(0, Rows).Select(_ => new GroupRunner<(TenantId Tenant, TItem Item), TResult>(
            item => keyOf(item.Item), RunAsync, item => item.Tenant, largestGroup))];

        async Task<IReadOnlyList<TResult>> RunAsync(
            IReadOnlyList<(TenantId Tenant, TItem Item)> group, CancellationToken ct)
        {
            await using var db = new Db(dataSource);
            return await runAsync(db, group[0].Tenant, [.. group.Select(item => item.Item)], ct);
        }
    }
}
