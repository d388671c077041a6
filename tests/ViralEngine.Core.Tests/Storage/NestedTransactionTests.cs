using ViralEngine.Core.Storage;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Storage;

public sealed class NestedTransactionTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    [Fact]
    public async Task What_is_committed_inside_another_is_committed_with_it()
    {
        var ran = new List<string>();
        await using var db = postgres.NewDb();

        await db.BeginAsync(default);
        await db.BeginAsync(default);
        await InsertAsync(db, "inner");
        await db.AfterCommitAsync(_ => Note("after"), default);
        await db.CommitAsync(default);
        ran.Add("inner commit");
        Assert.Equal(0, await CountAsync("inner"));
        await db.CommitAsync(default);

        Assert.Equal(1, await CountAsync("inner"));
        Assert.Equal(["inner commit", "after"], ran);

        Task Note(string what)
        {
            ran.Add(what);
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task A_rollback_inside_gives_all_of_it_up()
    {
        await using var db = postgres.NewDb();

        await db.BeginAsync(default);
        await InsertAsync(db, "outer");
        await db.BeginAsync(default);
        await db.RollbackAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() => db.CommitAsync(default));
        Assert.Equal(0, await CountAsync("outer"));
    }

    private static Task<int> InsertAsync(Db db, string name) => db.ExecuteAsync(
        DbScope.AllTenants, "INSERT INTO viral.organizations (id, name) VALUES ($1, $2)", [Guid.CreateVersion7(), name],
        default);

    private async Task<long> CountAsync(string name)
    {
        await using var db = postgres.NewDb();
        return await db.QueryOneAsync(
            DbScope.AllTenants, "SELECT count(*) FROM viral.organizations WHERE name = $1", [name],
            row => row.GetInt64(0), default);
    }
}
