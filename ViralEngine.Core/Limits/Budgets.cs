using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Limits;

/// <summary>
/// Keeps calls within budgets: reserves a call's maximum cost before it, and settles it with the actual cost
/// afterwards. Calls without a price are not counted, except of models, for which a budget requires a price.
/// </summary>
public sealed partial class Budgets(
    NpgsqlDataSource dataSource,
    PriceTable prices,
    IOptions<LimitsOptions> options,
    TimeProvider time,
    ILogger<Budgets> logger)
{
    /// <summary>How long a settlement is retried while the database is unreachable.</summary>
    private static readonly TimeSpan SettlingTime = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan SettleAgain = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan RoomAgain = TimeSpan.FromSeconds(2);

    /// <summary>Tokens that a chat's structure adds to its texts.</summary>
    private const int FrameTokens = 100;

    /// <summary>
    /// Reserves the call's maximum cost. <see cref="SettleAsync"/> must be called afterwards, whatever the outcome.
    /// </summary>
    /// <exception cref="AgentException"> <see cref="ErrorClass.BudgetExceeded"/>: the month's budget does not cover it.
    /// <see cref="ErrorClass.RateLimited"/>: running calls have reserved the rest. </exception>
    public async Task<BudgetedCall> ReserveAsync(AgentCall call, CancellationToken ct)
    {
        var agentId = call.Agent.Id?.ToString() ?? call.Agent.Name;
        var now = time.GetUtcNow().UtcDateTime;
        var month = new DateOnly(now.Year, now.Month, 1);
        var price = prices.PriceOf(call.Agent.Settings, call.Agent.Settings.RequestedModel);
        var most = MaxCost(call, price);
        var id = RowId.New();
        if (most == 0)
            return new BudgetedCall(id, false, agentId, month);

        await using var db = new Db(dataSource);
        var outcome = await new BudgetStore(db).ReserveAsync(
            new TenantId(call.TenantId), id, agentId, month, most ?? 1e-9m, call.Timeout + Grace, ct);
        if (most is null && outcome is not Reserving.Unlimited)
        {
            if (outcome is Reserving.Reserved)
                await SettleAsync(call, new BudgetedCall(id, true, agentId, month), 0);
            throw new AgentException(
                ErrorClass.BudgetExceeded,
                $"The budget needs a price for the model of agent '{call.Agent.Name}'. "
                + "Set settings.price of the agent.");
        }

        return outcome switch
        {
            Reserving.Reserved => new BudgetedCall(id, true, agentId, month),
            Reserving.Unlimited => new BudgetedCall(id, false, agentId, month),
            Reserving.Busy(var whose) => throw new AgentException(
                ErrorClass.RateLimited, $"Running calls have reserved the rest of {Name(whose, call)} this month.",
                RoomAgain)
            {
                WaitsFor = WaitReason.Budget,
            },
            Reserving.Exhausted(var whose) => throw new AgentException(
                ErrorClass.BudgetExceeded, $"The rest of {Name(whose, call)} this month is too small for the call."),
            _ => throw new InvalidOperationException($"Unknown outcome {outcome}."),
        };
    }

    /// <summary>
    /// Books the call's cost and releases its reservation. Retried for a while if the database is unreachable, because
    /// the money is spent.
    /// </summary>
    public async Task SettleAsync(AgentCall call, BudgetedCall reserved, decimal cost)
    {
        if (!reserved.IsReserved && cost == 0)
            return;
        var started = time.GetTimestamp();
        while (true)
        {
            try
            {
                await using var db = new Db(dataSource);
                await new BudgetStore(db).SettleAsync(
                    new TenantId(call.TenantId), reserved.Id, reserved.AgentId, reserved.Month, cost,
                    CancellationToken.None);
                return;
            }
            catch (NpgsqlException e) when (DbFault.IsAway(e) && time.GetElapsedTime(started) < SettlingTime)
            {
                await Task.Delay(SettleAgain, time);
            }
            catch (NpgsqlException e) when (DbFault.IsAway(e))
            {
                LogNotSettled(logger, e, call.TaskId, call.Attempt, cost);
                return;
            }
        }
    }

    internal void Refuse(AgentCall call) => LogRefused(logger, call.Agent.Name, call.TaskId, call.Attempt);

    /// <summary>
    /// The call's maximum usage: a token has at least one byte. Also used if the provider reports an impossible usage.
    /// </summary>
    public AgentChunk.Usage EstimateOf(AgentCall call)
    {
        var settings = call.Agent.Settings;
        var input = FrameTokens + Encoding.UTF8.GetByteCount(call.Description)
            + Encoding.UTF8.GetByteCount(settings.Instructions ?? "")
            + (call.Input is { } json ? Encoding.UTF8.GetByteCount(json.GetRawText()) : 0);
        return new AgentChunk.Usage(
            input, settings.MaxOutputFor(input) ?? options.Value.AssumedOutputTokens, settings.RequestedModel);
    }

    /// <summary>Null for a model without a price.</summary>
    private decimal? MaxCost(AgentCall call, TokenPrice? price)
    {
        if (price is null)
            return call.Agent.Settings.IsFreeWithoutPrice ? 0 : null;
        var most = EstimateOf(call);
        return price.CostOf(most.InputTokens, most.OutputTokens);
    }

    private static string Name(string agentId, AgentCall call) =>
        agentId == BudgetStore.Everything ? "the organization's budget" : $"the budget of agent '{call.Agent.Name}'";

    [LoggerMessage(1, LogLevel.Error, "Attempt {Attempt} of {TaskId}: its cost of {Cost} USD could not be recorded")]
    private static partial void LogNotSettled(
        ILogger logger, Exception exception, Guid taskId, int attempt, decimal cost);

    [LoggerMessage(
        2, LogLevel.Warning,
        "Agent {Agent} reported an impossible usage for attempt {Attempt} of {TaskId}; the estimate is used")]
    private static partial void LogRefused(ILogger logger, string agent, Guid taskId, int attempt);
}

/// <param name="Id">The id of its reservation, if any, and of its settlement.</param>
/// <param name="IsReserved">False if no budget applies to the call.</param>
public sealed record BudgetedCall(Guid Id, bool IsReserved, string AgentId, DateOnly Month);
