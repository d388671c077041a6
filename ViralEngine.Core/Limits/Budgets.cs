using System.Text;
using Microsoft.Extensions.Options;
using Npgsql;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Limits;

/// <summary>
/// Keeps agents' calls within their budgets: the most that a call can cost is set aside before it and settled with what it did
/// cost, or given back when it failed. Calls without a price are not counted, but for models: those a budget needs a price for.
/// </summary>
public sealed class Budgets(NpgsqlDataSource dataSource, PriceTable prices, IOptions<LimitsOptions> options, TimeProvider time)
{
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan RoomAgain = TimeSpan.FromSeconds(2);

    /// <summary>What a chat's frame adds to its texts, in tokens.</summary>
    private const int FrameTokens = 100;

    /// <summary>Sets aside what the call may cost; the cost is booked by <see cref="SettleAsync"/>, whatever came of the call.</summary>
    /// <exception cref="AgentException">
    /// <see cref="ErrorClass.BudgetExceeded"/>: the month's money does not pay for it.
    /// <see cref="ErrorClass.RateLimited"/>: running calls hold the rest.
    /// </exception>
    public async Task<BudgetedCall> ReserveAsync(AgentCall call, CancellationToken ct)
    {
        var agentId = call.Agent.Id?.ToString() ?? call.Agent.Name;
        var now = time.GetUtcNow().UtcDateTime;
        var month = new DateOnly(now.Year, now.Month, 1);
        var price = prices.PriceOf(call.Agent.Settings, (call.Agent.Settings as OpenAiSettings)?.Model);
        var most = MostCost(call, price);
        if (most == 0)
            return new BudgetedCall(null, agentId, month);

        await using var db = new Db(dataSource);
        var outcome = await new BudgetStore(db).ReserveAsync(
            new TenantId(call.TenantId), RowId.New(), agentId, month, most ?? 1e-9m, call.Timeout + Grace, ct);
        if (most is null && outcome is not Reserving.Unlimited)
        {
            if (outcome is Reserving.Reserved(var unpriced))
                await SettleAsync(call, new BudgetedCall(unpriced, agentId, month), 0);
            throw new AgentException(
                ErrorClass.BudgetExceeded,
                $"A budget needs the price of the model of agent '{call.Agent.Name}': give it in the agent's settings.price.");
        }

        return outcome switch
        {
            Reserving.Reserved(var id) => new BudgetedCall(id, agentId, month),
            Reserving.Unlimited => new BudgetedCall(null, agentId, month),
            Reserving.Busy(var whose) => throw new AgentException(
                ErrorClass.RateLimited, $"Calls that run have reserved what is left of {Name(whose, call)} this month.", RoomAgain),
            Reserving.Exhausted(var whose) => throw new AgentException(
                ErrorClass.BudgetExceeded, $"What is left of {Name(whose, call)} this month does not pay for the call."),
            _ => throw new InvalidOperationException($"Unknown outcome {outcome}."),
        };
    }

    public async Task SettleAsync(AgentCall call, BudgetedCall reserved, decimal cost)
    {
        if (reserved.Reservation is null && cost == 0)
            return;
        await using var db = new Db(dataSource);
        await new BudgetStore(db).SettleAsync(
            new TenantId(call.TenantId), reserved.Reservation, reserved.AgentId, reserved.Month, cost, CancellationToken.None);
    }

    /// <summary>An upper bound: no token is shorter than a byte. Null: a model without a price.</summary>
    private decimal? MostCost(AgentCall call, TokenPrice? price)
    {
        if (price is null)
            return call.Agent.Kind == AgentKind.OpenAi ? null : 0;
        var settings = call.Agent.Settings as OpenAiSettings;
        var input = FrameTokens + Encoding.UTF8.GetByteCount(call.Description)
            + Encoding.UTF8.GetByteCount(settings?.SystemPrompt ?? "")
            + (call.Input is { } json ? Encoding.UTF8.GetByteCount(json.GetRawText()) : 0);
        var output = call.Agent.Settings switch
        {
            OpenAiSettings { MaxOutputTokens: { } most } => most,
            EchoSettings echo => (long)input * Math.Max(1, echo.Repeat),
            _ => options.Value.AssumedOutputTokens,
        };
        return price.CostOf(input, output);
    }

    private static string Name(string agentId, AgentCall call) =>
        agentId == BudgetStore.Everything ? "the organization's budget" : $"the budget of agent '{call.Agent.Name}'";
}

/// <param name="Reservation">Null: no budget covers the call.</param>
public sealed record BudgetedCall(Guid? Reservation, string AgentId, DateOnly Month);

/// <summary>Calls a provider within the budgets of the tenant and the agent.</summary>
internal sealed class BudgetedProvider(IAgentProvider inner, Budgets budgets, PriceTable prices) : IAgentProvider
{
    public async IAsyncEnumerable<AgentChunk> RunAsync(
        AgentCall call, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        var reserved = await budgets.ReserveAsync(call, ct);
        AgentChunk.Usage? usage = null;
        try
        {
            await foreach (var chunk in inner.RunAsync(call, ct))
            {
                usage = chunk as AgentChunk.Usage ?? usage;
                yield return chunk;
            }
        }
        finally
        {
            var cost = usage is null ? 0 : prices.CostOf(call.Agent.Settings, usage) ?? 0;
            await budgets.SettleAsync(call, reserved, cost);
        }
    }
}
