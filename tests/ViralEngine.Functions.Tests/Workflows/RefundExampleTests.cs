using System.Diagnostics;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Workflows;

/// <summary>The example runs as it stands.</summary>
[Trait("Category", "BlackBox")]
public sealed class RefundExampleTests(ApiUnderTest app) : IClassFixture<ApiUnderTest>
{
    [Fact]
    public async Task The_refund_example_runs_to_its_end()
    {
        using var tenant = await app.NewTenantAsync();
        var start = new ProcessStartInfo("bash", [Path.Combine(Repository.Root, "examples/refund-approval/run.sh")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["VIRAL_URL"] = app.Address.GetLeftPart(UriPartial.Authority),
                ["VIRAL_API_KEY"] = tenant.OwnerKey,
                ["VIRAL_APPROVER_KEY"] = await tenant.NewKeyAsync("approver"),
            },
        };

        using var script = Process.Start(start)!;
        var output = script.StandardOutput.ReadToEndAsync();
        var errors = script.StandardError.ReadToEndAsync();
        await script.WaitForExitAsync();

        Assert.True(script.ExitCode == 0, await output + await errors);
        Assert.Contains("Refund 240 EUR to Ada Lovelace?", await output);
        Assert.Contains("workflow.completed", await output);
        Assert.Contains("It is on its way: refund 240 EUR for order 1001.", await output);
        Assert.Contains(":::completed", await output);
    }
}
