using Npgsql;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tasks;

/// <summary>
/// What concurrent requests and workers of this process write about single tasks, gathered into few statements: a commit costs the
/// same for one task as for many. Each statement is one tenant's, under its row-level security.
/// </summary>
public sealed class TaskGroups
{
    /// <summary>So many tenants write at the same time; one tenant's groups follow each other.</summary>
    private const int Lanes = 8;

    private readonly NpgsqlDataSource dataSource;
    private readonly GroupWriter<(TenantId Tenant, NewTask Task), DateTime?>[] additions;
    private readonly GroupWriter<(TenantId Tenant, Guid TaskId), TaskAttempt?>[] claims;
    private readonly GroupWriter<(TenantId Tenant, FinishedAttempt Attempt), bool>[] completions;

    public TaskGroups(NpgsqlDataSource dataSource, TaskLeaseOptions options, TaskAdmission? admission = null)
    {
        this.dataSource = dataSource;
        additions = InLanes<NewTask, DateTime?>(task => task.Id, TaskGroupStore.InsertAsync);
        claims = InLanes<Guid, TaskAttempt?>(
            id => id,
            (db, tenant, ids, ct) => TaskGroupStore.TakeAsync(db, tenant, ids, options, admission ?? TaskAdmission.Everything, ct));
        completions = InLanes<FinishedAttempt, bool>(attempt => attempt.TaskId, TaskGroupStore.CompleteAsync);
    }

    /// <summary>Stores a task: when, or null where this month's tasks are used up.</summary>
    internal Task<DateTime?> AddAsync(TenantId tenant, NewTask task) => LaneOf(additions, tenant).WriteAsync((tenant, task));

    /// <summary>Takes a task up where it is due, free and admitted by the plan; else null.</summary>
    internal Task<TaskAttempt?> ClaimAsync(TenantId tenant, Guid taskId) => LaneOf(claims, tenant).WriteAsync((tenant, taskId));

    /// <summary>Ends a task with its answer; false: the lease was lost, nothing changed.</summary>
    internal Task<bool> CompleteAsync(TenantId tenant, FinishedAttempt attempt) =>
        LaneOf(completions, tenant).WriteAsync((tenant, attempt));

    private static T LaneOf<T>(T[] lanes, TenantId tenant) => lanes[(uint)tenant.GetHashCode() % Lanes];

    private GroupWriter<(TenantId Tenant, TItem Item), TResult>[] InLanes<TItem, TResult>(
        Func<TItem, object?> keyOf,
        Func<Db, TenantId, IReadOnlyList<TItem>, CancellationToken, Task<IReadOnlyList<TResult>>> writeAsync)
    {
        return [.. Enumerable.Range(0, Lanes).Select(_ => new GroupWriter<(TenantId Tenant, TItem Item), TResult>(
            item => keyOf(item.Item), WriteAsync, item => item.Tenant))];

        async Task<IReadOnlyList<TResult>> WriteAsync(IReadOnlyList<(TenantId Tenant, TItem Item)> group, CancellationToken ct)
        {
            await using var db = new Db(dataSource);
            return await writeAsync(db, group[0].Tenant, [.. group.Select(item => item.Item)], ct);
        }
    }
}
