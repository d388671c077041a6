using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using ViralEngine.Core.Audit;
using ViralEngine.Core.Batches;
using ViralEngine.Core.Lanes;
using ViralEngine.Core.Webhooks;
using ViralEngine.Functions.Agents;
using ViralEngine.Functions.Batches;
using ViralEngine.Functions.Idempotency;
using ViralEngine.Functions.Limits;
using ViralEngine.Functions.Metrics;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Retention;
using ViralEngine.Functions.Tasks;
using ViralEngine.Functions.Workflows;

namespace ViralEngine.Functions.Sweeps;

/// <summary>
/// All periodic work, in two timers: on Flex Consumption, each timer function keeps and bills an instance of its own.
/// The sweeps of a timer run concurrently, and one that fails does not affect the others.
/// </summary>
internal sealed class Sweeps(IServiceScopeFactory scopes, DeliveryPump deliveries, Awake awake)
{
    /// <summary>
    /// Sweeps that work waits for: resumes what a crash left behind. <c>SweepSchedule</c> sets how often, because each
    /// run on Azure is billed. Does nothing while nothing is open.
    /// </summary>
    [Function("SweepOften")]
    public async Task RunOftenAsync(
        [TimerTrigger("%SweepSchedule%")] TimerInfo timer, [DurableClient] DurableTaskClient durable,
        CancellationToken ct)
    {
        if (!await awake.IsSinceAsync(Awake.ForWork))
            return;
        // Where idle instances are stopped, this keeps one running to send due messages.
        deliveries.Wake();
        await Task.WhenAll(
            RunAsync<OpenWork>(async open =>
            {
                if (await open.AnyAsync(ct))
                    awake.Mark();
            }),
            RunAsync<TaskSweep>(sweep => sweep.RunAsync(durable, ct)),
            RunAsync<BatchSweep>(sweep => sweep.RunAsync(durable, ct)),
            RunAsync<WorkflowSweep>(sweep => sweep.RunAsync(durable, ct)),
            RunAsync<OrganizationSweep>(sweep => sweep.RunAsync(ct)),
            RunAsync<BudgetSweep>(sweep => sweep.RunAsync(ct)));
    }

    /// <summary>
    /// Sweeps that nobody waits for: removes expired rows, and re-encrypts secrets after the key ring has changed.
    /// </summary>
    [Function("SweepSeldom")]
    public Task RunSeldomAsync(
        [TimerTrigger("0 */10 * * * *")] TimerInfo timer, [DurableClient] DurableTaskClient durable,
        CancellationToken ct) => Task.WhenAll(
        RunAsync<OrchestrationSweep>(sweep => sweep.RunAsync(durable, ct)),
        RunAsync<RetentionSweep>(sweep => sweep.RunAsync(ct)),
        RunAsync<BatchIntake>(intake => intake.SweepAsync(ct)),
        RunAsync<WorkflowSweep>(sweep => sweep.DeleteAsync(ct)),
        RunAsync<IdempotencySweep>(sweep => sweep.RunAsync(ct)),
        RunAsync<BudgetSweep>(sweep => sweep.ForgetAsync(ct)),
        RunAsync<MetricSweep>(sweep => sweep.RunAsync(ct)),
        // Again here, because Redis may have lost the sign that detection renews.
        RunAsync<OpenWork>(async open =>
        {
            if (await open.AnyAlertAsync(ct))
                awake.MarkAlert();
        }),
        RunAsync<AuditSweeper>(sweep => sweep.RunAsync(ct)),
        RunAsync<WebhookSweeper>(sweep => sweep.RunAsync(ct)),
        RunAsync<WebhookSecretRotation>(rotation => rotation.RunAsync(ct)),
        RunAsync<SecretRotation>(rotation => rotation.RunAsync(ct)));

    private async Task RunAsync<T>(Func<T, Task> work)
    {
        await using var scope = scopes.CreateAsyncScope();
        await work(ActivatorUtilities.CreateInstance<T>(scope.ServiceProvider));
    }
}
