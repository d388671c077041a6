using ViralEngine.Core.Organizations;

namespace ViralEngine.Functions.Organizations;

/// <summary>Stops what came in while an organization was being deleted: a request under way, a step that was just begun.</summary>
internal sealed class OrganizationSweep(DeleteOrganization organizations)
{
    public async Task RunAsync(CancellationToken ct)
    {
        foreach (var tenant in await organizations.DeletedLatelyAsync(ct))
            await organizations.StopAsync(tenant, ct);
    }
}
