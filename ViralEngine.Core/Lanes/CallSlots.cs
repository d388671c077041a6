using Microsoft.Extensions.Options;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Lanes;

/// <summary>
/// Limits the concurrent calls of this process and of each tenant. A tenant may hold four times what is free at that
/// moment: one alone fills four fifths, many together nearly all, and a newcomer finds room immediately, however long
/// the other calls take (dynamic thresholds: Choudhury and Hahne, 1998).
/// </summary>
public sealed class CallSlots(IOptions<LanesOptions> options)
{
    private const int TimesWhatIsFree = 4;
    private readonly Lock gate = new();
    private readonly Dictionary<TenantId, int> taken = [];
    private readonly int most = options.Value.CallsPerInstance;
    private int used;

    /// <summary>Calls that are running or have a reserved place.</summary>
    public int Used => Volatile.Read(ref used);

    /// <summary>Takes up to this many places for a tenant's calls. Release each with <see cref="Return"/>.</summary>
    public int Take(TenantId tenant, int wanted)
    {
        lock (gate)
        {
            var running = taken.GetValueOrDefault(tenant);
            var granted = Math.Clamp(Math.Min(wanted, RoomOf(running)), 0, most - used);
            if (granted > 0)
                taken[tenant] = running + granted;
            used += granted;
            return granted;
        }
    }

    public void Return(TenantId tenant, int places = 1)
    {
        lock (gate)
        {
            used -= places;
            var left = taken[tenant] - places;
            if (left > 0)
                taken[tenant] = left;
            else
                taken.Remove(tenant);
        }
    }

    /// <summary>
    /// Reserves places for calls whose tenants are not known yet. Dispose it to release the unused ones.
    /// </summary>
    public Reserve SetAside(int wanted)
    {
        lock (gate)
        {
            var places = Math.Clamp(wanted, 0, most - used);
            // Counts the reserved places as free, because the tenants share them.
            var rooms = taken
                .Select(one => (one.Key, Room: RoomOf(one.Value)))
                .Where(one => one.Room < places)
                .ToDictionary(one => one.Key, one => one.Room);
            var newcomers = RoomOf(0);
            used += places;
            return new Reserve(this, places, rooms, newcomers);
        }
    }

    /// <summary>Each call a tenant takes reduces what is free. A tenant without calls may always have one.</summary>
    private int RoomOf(int running) => Math.Max(
        running == 0 ? 1 : 0, ((TimesWhatIsFree * (most - used)) - running) / (TimesWhatIsFree + 1));

    private void Spend(TenantId tenant)
    {
        lock (gate)
            taken[tenant] = taken.GetValueOrDefault(tenant) + 1;
    }

    private void GiveBack(int places)
    {
        lock (gate)
            used -= places;
    }

    /// <param name="rooms">Tenants that may not use all of it, and how many places they may use.</param>
    public sealed class Reserve(CallSlots slots, int places, IReadOnlyDictionary<TenantId, int> rooms, int newcomers)
    : IDisposable
    {
        /// <summary>The places left.</summary>
        public int Places { get; private set; } = places;

        /// <summary>Tenants that may not use all of it, and how many places they may use.</summary>
        public IReadOnlyDictionary<TenantId, int> Rooms { get; } = rooms;

        /// <summary>How many places a tenant without running calls may use.</summary>
        public int Newcomers { get; } = newcomers;

        /// <summary>Uses a place. Release it with <see cref="Return"/>.</summary>
        public void Spend(TenantId tenant)
        {
            Places--;
            slots.Spend(tenant);
        }

        public void Dispose()
        {
            slots.GiveBack(Places);
            Places = 0;
        }
    }
}
