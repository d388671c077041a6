using System.Collections.Concurrent;
using Npgsql;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tests.Storage;

public sealed class GroupRunnerTests
{
    private readonly ConcurrentQueue<IReadOnlyList<string>> groups = new();
    private readonly TaskCompletionSource first = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task What_comes_while_a_group_is_under_way_shares_the_next_and_each_gets_its_own_result()
    {
        var runner = new GroupRunner<string, string>(_ => null, RunAsync);

        var asked = await AskAsync(runner, "a", "b", "c", "b");

        Assert.Equal(["A", "B", "C", "B"], await Task.WhenAll(asked));
        Assert.Equal([["a"], ["b", "c", "b"]], groups);
    }

    [Fact]
    public async Task The_same_key_never_shares_a_group()
    {
        var runner = new GroupRunner<string, string>(item => item, RunAsync);

        var asked = await AskAsync(runner, "a", "b", "b", "c");

        Assert.Equal(["A", "B", "B", "C"], await Task.WhenAll(asked));
        Assert.Equal([["a"], ["b", "c"], ["b"]], groups);
    }

    [Fact]
    public async Task Different_scopes_never_share_a_group()
    {
        var runner = new GroupRunner<string, string>(_ => null, RunAsync, item => item[0]);

        var asked = await AskAsync(runner, "a", "b1", "c1", "b2", "c2");

        Assert.Equal(["A", "B1", "C1", "B2", "C2"], await Task.WhenAll(asked));
        Assert.Equal([["a"], ["b1", "b2"], ["c1", "c2"]], groups);
    }

    [Fact]
    public async Task A_group_has_its_largest_size()
    {
        var runner = new GroupRunner<string, string>(_ => null, RunAsync, largestGroup: 2);

        await Task.WhenAll(await AskAsync(runner, "a", "b", "c", "d"));

        Assert.Equal([["a"], ["b", "c"], ["d"]], groups);
    }

    [Fact]
    public async Task What_the_database_refuses_fails_alone()
    {
        var runner = new GroupRunner<string, string>(_ => null, RunAsync);

        var asked = await AskAsync(runner, "a", "b", "refused", "c");

        await Assert.ThrowsAsync<PostgresException>(() => asked[2]);
        Assert.Equal(["A", "B", "C"], await Task.WhenAll(asked[0], asked[1], asked[3]));
    }

    /// <summary>
    /// What PgBouncer and a server that shuts down say in place of a result: the group may have been committed by then.
    /// </summary>
    [Theory]
    [InlineData(PostgresErrorCodes.ProtocolViolation)]
    [InlineData(PostgresErrorCodes.AdminShutdown)]
    public async Task What_may_have_been_committed_is_not_run_again(string code)
    {
        var runner = new GroupRunner<string, string>(_ => null, RunAsync);

        var asked = await AskAsync(runner, "a", "b", code);

        await Assert.ThrowsAsync<PostgresException>(() => asked[1]);
        await Assert.ThrowsAsync<PostgresException>(() => asked[2]);
        Assert.Equal([["a"], ["b", code]], groups);
    }

    [Fact]
    public async Task A_lost_connection_fails_the_group_and_nothing_after_it()
    {
        var runner = new GroupRunner<string, string>(_ => null, RunAsync);

        var asked = await AskAsync(runner, "a", "b", "lost");

        await Assert.ThrowsAsync<NpgsqlException>(() => asked[1]);
        await Assert.ThrowsAsync<NpgsqlException>(() => asked[2]);
        Assert.Equal("B", await runner.RunAsync("b"));
    }

    [Fact]
    public async Task A_group_that_never_ends_does_not_hold_up_the_next()
    {
        var runner = new GroupRunner<string, string>(_ => null, RunAsync);

        var asked = await AskAsync(runner, "a", "silent", "b");
        while (groups.Count < 2)
            await Task.Yield();

        Assert.Equal("C", await runner.RunAsync("c"));
        Assert.False(asked[1].IsCompleted);
    }

    /// <summary>Asks for the first alone and for the others while that is under way.</summary>
    private async Task<Task<string>[]> AskAsync(GroupRunner<string, string> runner, params string[] items)
    {
        var one = runner.RunAsync(items[0]);
        while (groups.IsEmpty)
            await Task.Yield();
        Task<string>[] asked = [one, .. items[1..].Select(runner.RunAsync)];
        first.SetResult();
        return asked;
    }

    private async Task<IReadOnlyList<string>> RunAsync(IReadOnlyList<string> group, CancellationToken ct)
    {
        groups.Enqueue(group);
        await first.Task;
        if (group.Contains("silent"))
            await Task.Delay(Timeout.Infinite, CancellationToken.None);
        if (group.Contains("lost"))
            throw new NpgsqlException("The connection is gone.");
        if (group.FirstOrDefault(item => item.Length == 5 && char.IsDigit(item[0])) is { } code)
            throw new PostgresException("server conn crashed?", "FATAL", "FATAL", code);
        if (group.Contains("refused"))
            throw new PostgresException("no", "ERROR", "ERROR", PostgresErrorCodes.CheckViolation);
        return [.. group.Select(item => item.ToUpperInvariant())];
    }
}
