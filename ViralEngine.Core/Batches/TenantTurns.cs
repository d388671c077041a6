using Microsoft.Extensions.Options;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Batches;

/// <summary>
/// A limited number of concurrent turns, given to tenants in rotation and within a tenant in order of arrival: a tenant
/// with a thousand waiting lanes gets no more turns than one with a single lane.
/// </summary>
public sealed class TenantTurns(IOptions<BatchOptions> options)
{
    private readonly Lock gate = new();
    private readonly Dictionary<TenantId, Queue<TaskCompletionSource>> waiting = [];
    private readonly Queue<TenantId> rotation = new();
    private int free = options.Value.StoreTurns;

    /// <summary>Waits for a turn. Dispose the result to end it.</summary>
    public async Task<Turn> TakeAsync(TenantId tenant)
    {
        TaskCompletionSource mine;
        lock (gate)
        {
            if (free > 0)
            {
                free--;
                return new Turn(this);
            }

            mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (!waiting.TryGetValue(tenant, out var queue))
            {
                waiting[tenant] = queue = new();
                rotation.Enqueue(tenant);
            }

            queue.Enqueue(mine);
        }

        await mine.Task;
        return new Turn(this);
    }

    private void Release()
    {
        lock (gate)
        {
            if (!rotation.TryDequeue(out var next))
            {
                free++;
                return;
            }

            var queue = waiting[next];
            queue.Dequeue().SetResult();
            if (queue.Count > 0)
                rotation.Enqueue(next);
            else
                waiting.Remove(next);
        }
    }

    public sealed class Turn : IDisposable
    {
        private TenantTurns? turns;

        internal Turn(TenantTurns turns) => this.turns = turns;

        public void Dispose() => Interlocked.Exchange(ref turns, null)?.Release();
    }
}
