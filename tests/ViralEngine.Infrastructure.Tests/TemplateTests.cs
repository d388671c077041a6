using ViralEngine.Infrastructure.Tests.Rules;

namespace ViralEngine.Infrastructure.Tests;

/// <summary>The templates compile without a word of complaint, and what they deploy keeps every rule.</summary>
[Collection(nameof(Deployments))]
public sealed class TemplateTests(Deployments deployments)
{
    public static TheoryData<string> Files => [.. BicepCompiler.Files];

    public static TheoryData<string> Names => Deployments.Names;

    [Theory, MemberData(nameof(Files))]
    public async Task Compiles_and_lints_without_a_warning(string file)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));

        var printed = await BicepCompiler.RunAsync(BicepCompiler.Templates, null, limit.Token, "lint", file);

        Assert.Equal("", printed.Output + printed.Complaints);
        Assert.Equal(0, printed.ExitCode);
    }

    [Theory, MemberData(nameof(Names))]
    public void Reaches_what_has_a_private_endpoint_only_through_it(string name) =>
        Assert.Empty(PrivateEndpointRule.Breaches(deployments[name]));

    [Theory, MemberData(nameof(Names))]
    public void Knows_no_shared_key(string name) => Assert.Empty(SharedKeyRule.Breaches(deployments[name]));

    [Theory, MemberData(nameof(Names))]
    public void Speaks_TLS_1_2_or_later(string name) => Assert.Empty(TlsRule.Breaches(deployments[name]));

    [Theory, MemberData(nameof(Names))]
    public void Shows_no_secret(string name) => Assert.Empty(SecretRule.Breaches(deployments[name]));

    [Theory, MemberData(nameof(Names))]
    public void Gives_every_role_once_and_for_something(string name)
    {
        Assert.Empty(RoleRule.Breaches(deployments[name]));
        Assert.Empty(RoleRule.UnknownRoles(deployments[name]));
    }

    [Theory, MemberData(nameof(Names))]
    public void Reports_whatever_can_report(string name) => Assert.Empty(DiagnosticsRule.Breaches(deployments[name]));

    [Theory, MemberData(nameof(Names))]
    public void Tags_whatever_costs(string name) => Assert.Empty(TagRule.Breaches(deployments[name]));

    [Fact]
    public void Production_is_private_throughout()
    {
        var endpoints = deployments["prod with scheduler"].OfType("Microsoft.Network/privateEndpoints");

        Assert.Equal(7, endpoints.Count());
    }

    [Fact]
    public void Development_pays_for_no_private_network()
    {
        Assert.Empty(deployments["dev"].OfType("Microsoft.Network/privateEndpoints"));
        Assert.Empty(deployments["dev"].OfType("Microsoft.Network/natGateways"));
    }
}
