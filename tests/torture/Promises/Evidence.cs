using ViralEngine.Torture.Load;
using ViralEngine.Torture.Outside;

namespace ViralEngine.Torture.Promises;

/// <summary>Everything there is to judge by: what was done, what was seen from outside, and what is stored.</summary>
internal sealed record Evidence(
    IReadOnlyList<Tenant> Tenants, Recorder Recorder, Rows Rows, IReadOnlyList<ProviderCall> Calls,
    IReadOnlyList<Received> Webhooks,
    Timeline Timeline)
{
    private readonly List<Promise> promises = [];

    public IReadOnlyList<Promise> Promises => promises;

    public Promise NewPromise(string name)
    {
        var promise = new Promise(name);
        promises.Add(promise);
        return promise;
    }

    /// <summary>The same, not yet judged, with other calls or webhooks.</summary>
    public Evidence With(IReadOnlyList<ProviderCall>? calls = null, IReadOnlyList<Received>? webhooks = null) =>
        new(Tenants, Recorder, Rows, calls ?? Calls, webhooks ?? Webhooks, Timeline);
}
