using ViralEngine.Core.Limits;
using ViralEngine.Core.Storage;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Limits;

public sealed class BudgetStoreTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    private static readonly DateOnly Month = new(2030, 1, 1);
    private readonly TenantId tenant = new(Guid.CreateVersion7());

    [Fact]
    public async Task Parallel_calls_cannot_pass_a_budget_together()
    {
        await SetAsync(("", 50m), ("a", 40m));

        var outcomes = await Task.WhenAll(
            Enumerable.Range(0, 200).Select(i => ReserveAsync(i % 2 == 0 ? "a" : "b", 1m)));

        var reserved = outcomes.OfType<Reserving.Reserved>().ToList();
        Assert.Equal(50, reserved.Count);
        Assert.Equal(150, outcomes.OfType<Reserving.Busy>().Count());
        Assert.Equal(50m, (await LineAsync("")).ReservedUsd);
        Assert.InRange((await LineAsync("a")).ReservedUsd, 0m, 40m);
    }

    [Fact]
    public async Task Books_what_a_call_cost_and_gives_the_rest_back()
    {
        await SetAsync(("", 10m));
        var first = Assert.IsType<Reserving.Reserved>(await ReserveAsync("a", 8m));
        Assert.Equal(new Reserving.Busy(""), await ReserveAsync("a", 8m));

        await SettleAsync(first.Id, "a", 3m);

        Assert.Equal(new BudgetLine("", 10m, 3m, 0m), await LineAsync(""));
        Assert.Equal(new BudgetLine("a", null, 3m, 0m), await LineAsync("a"));
        Assert.Equal(new Reserving.Exhausted(""), await ReserveAsync("a", 8m));
        Assert.IsType<Reserving.Reserved>(await ReserveAsync("a", 7m));
    }

    [Fact]
    public async Task Settling_twice_gives_back_once()
    {
        await SetAsync(("", 10m));
        var call = Assert.IsType<Reserving.Reserved>(await ReserveAsync("a", 4m));
        Assert.IsType<Reserving.Reserved>(await ReserveAsync("a", 4m));

        await SettleAsync(call.Id, "a", 0m);
        await SettleAsync(call.Id, "a", 0m);

        Assert.Equal(4m, (await LineAsync("")).ReservedUsd);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_settlement_that_is_sent_again_books_once(bool hasBudget)
    {
        if (hasBudget)
            await SetAsync(("", 10m));
        var call = Guid.CreateVersion7();
        await ReserveAsync("a", 4m, id: call);

        // Also at once: the first may arrive after its repetition.
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => SettleAsync(call, "a", 3m)));
        await SettleAsync(call, "a", 3m);

        Assert.Equal(new BudgetLine("", hasBudget ? 10m : null, 3m, 0m), await LineAsync(""));
        Assert.Equal(new BudgetLine("a", null, 3m, 0m), await LineAsync("a"));
    }

    [Fact]
    public async Task Settlements_are_forgotten_by_age()
    {
        var call = Guid.CreateVersion7();
        await SettleAsync(call, "a", 3m);

        await using var db = postgres.NewDb();
        await new BudgetStore(db).ForgetAsync(TimeSpan.FromHours(1), 100, default);
        await SettleAsync(call, "a", 3m);
        Assert.Equal(3m, (await LineAsync("a")).SpentUsd);

        await new BudgetStore(db).ForgetAsync(TimeSpan.Zero, 100, default);
        await SettleAsync(call, "a", 3m);
        Assert.Equal(6m, (await LineAsync("a")).SpentUsd);
    }

    [Fact]
    public async Task Without_a_budget_nothing_is_set_aside_but_spending_is_booked()
    {
        Assert.Equal(new Reserving.Unlimited(), await ReserveAsync("a", 5m));

        await SettleAsync(Guid.CreateVersion7(), "a", 2m);

        Assert.Equal(new BudgetLine("", null, 2m, 0m), await LineAsync(""));
    }

    [Fact]
    public async Task Gives_back_what_dead_processes_had_set_aside()
    {
        await SetAsync(("", 5m), ("a", 5m));
        Assert.IsType<Reserving.Reserved>(await ReserveAsync("a", 5m, TimeSpan.FromSeconds(-1)));

        await using var db = postgres.NewDb();
        await new BudgetStore(db).SweepAsync(100, default);

        Assert.Equal(0m, (await LineAsync("")).ReservedUsd);
        Assert.Equal(0m, (await LineAsync("a")).ReservedUsd);
        Assert.IsType<Reserving.Reserved>(await ReserveAsync("a", 5m));
    }

    [Fact]
    public async Task Replaces_all_budgets_at_once()
    {
        await SetAsync(("", 5m), ("a", 5m));
        await SetAsync(("", 6m), ("b", 1m));

        await using var db = postgres.NewDb();
        var lines = await new BudgetStore(db).ListAsync(tenant, Month, default);

        Assert.Equal([("", 6m), ("b", 1m)], lines.Select(line => (line.AgentId, line.MonthlyUsd!.Value)));
    }

    private async Task SetAsync(params (string Agent, decimal Usd)[] budgets)
    {
        await using var db = postgres.NewDb();
        await new BudgetStore(db).ReplaceAsync(
            tenant, budgets.ToDictionary(budget => budget.Agent, budget => budget.Usd), default);
    }

    private async Task<Reserving> ReserveAsync(string agent, decimal amount, TimeSpan? lifetime = null, Guid? id = null)
    {
        await using var db = postgres.NewDb();
        return await new BudgetStore(db).ReserveAsync(
            tenant, id ?? Guid.CreateVersion7(), agent, Month, amount, lifetime ?? TimeSpan.FromMinutes(1), default);
    }

    private async Task SettleAsync(Guid call, string agent, decimal cost)
    {
        await using var db = postgres.NewDb();
        await new BudgetStore(db).SettleAsync(tenant, call, agent, Month, cost, default);
    }

    private async Task<BudgetLine> LineAsync(string agent)
    {
        await using var db = postgres.NewDb();
        return (await new BudgetStore(db).ListAsync(tenant, Month, default)).Single(line => line.AgentId == agent);
    }
}
