using Microsoft.Extensions.Options;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Lanes;

/// <summary>
/// How many calls this process holds at a time, and who may start more. A tenant may hold four times what is free at that
/// moment: one alone fills four fifths, many together nearly all, and a newcomer finds room at once, however long the calls of the
/// others take (dynamic thresholds: Choudhury and Hahne, 1998).
/// </summary>
public sealed class CallSlots(IOptions<LanesOptions> options)
{
    private const int TimesWhatIsFree = 4;
    private readonly Lock gate = new();
    private readonly Dictionary<TenantId, int> taken = [];
    private readonly int most = options.Value.CallsPerInstance;
    private int used;

    /// <summary>Calls that run or were set aside for calls about to.</summary>
    public int Used => Volatile.Read(ref used);

    /// <summary>Takes up to so many places for a tenant's calls; each is given back by <see cref="Return"/>.</summary>
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

    /// <summary>Sets places aside for calls of tenants that are not known yet. Dispose it to give back what was not used.</summary>
    public Reserve SetAside(int wanted)
    {
        lock (gate)
        {
            var places = Math.Clamp(wanted, 0, most - used);
            // With what is being set aside still free: it is what the tenants are to share.
            var rooms = taken
                .Select(one => (one.Key, Room: RoomOf(one.Value)))
                .Where(one => one.Room < places)
                .ToDictionary(one => one.Key, one => one.Room);
            var newcomers = RoomOf(0);
            used += places;
            return new Reserve(this, places, rooms, newcomers);
        }
    }

    /// <summary>Each call that a tenant takes is one less that is free; who has none may always have one.</summary>
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

    /// <param name="rooms">Tenants that may not take all of it, and how much they may.</param>
    public sealed class Reserve(CallSlots slots, int places, IReadOnlyDictionary<TenantId, int> rooms, int newcomers) : IDisposable
    {
        /// <summary>What is left of it.</summary>
        public int Places { get; private set; } = places;

        /// <summary>Tenants that may not take all of it, and how much they may.</summary>
        public IReadOnlyDictionary<TenantId, int> Rooms { get; } = rooms;

        /// <summary>How much a tenant may take that runs nothing here.</summary>
        public int Newcomers { get; } = newcomers;

        /// <summary>Uses a place; it is given back by <see cref="Return"/>.</summary>
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
