using ViralEngine.Core.Organizations;

namespace ViralEngine.Functions.Organizations;

/// <summary>Stops work that was stored while an organization was being deleted.</summary>
internal sealed class OrganizationSweep(DeleteOrganization organizations)
{
    public async Task RunAsync(CancellationToken ct)
    {
        foreach (var tenant in await organizations.DeletedLatelyAsync(ct))
            await organizations.StopAsync(tenant, ct);
    }
}
