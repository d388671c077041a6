using System.Text.Json.Nodes;
using ViralEngine.Infrastructure.Tests.Rules;

namespace ViralEngine.Infrastructure.Tests;

/// <summary>The templates compile without a word of complaint, and what they deploy keeps every rule.</summary>
[Collection(nameof(Deployments))]
public sealed class TemplateTests(Deployments deployments)
{
    // What these two are made of is linted with them.
    public static TheoryData<string> Files => ["main.bicep", "main.bicepparam"];

    public static TheoryData<string> Names => Deployments.Names;

    [Theory, MemberData(nameof(Files))]
    public async Task Compiles_and_lints_without_a_warning(string file)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(10));

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

    [Theory, MemberData(nameof(Names))]
    public void Asks_Flex_Consumption_for_nothing_that_it_refuses(string name) =>
        Assert.Empty(FlexRule.Breaches(deployments[name]));

    [Theory, MemberData(nameof(Names))]
    public void Leaves_the_database_to_who_will_own_it(string name) =>
        Assert.Empty(DatabaseRule.Breaches(deployments[name]));

    [Theory, MemberData(nameof(Names))]
    public void Keeps_orchestrations_where_it_says(string name) =>
        Assert.Empty(OrchestrationRule.Breaches(deployments[name]));

    [Theory, MemberData(nameof(Names))]
    public void Asks_for_no_API_that_is_younger_than_half_a_year(string name) =>
        Assert.Empty(ApiVersionRule.Breaches(deployments[name], DateOnly.FromDateTime(DateTime.UtcNow)));

    [Theory, MemberData(nameof(Names))]
    public void Has_an_alert_for_each_way_to_go_wrong_unseen(string name) =>
        Assert.Empty(AlertRule.Breaches(deployments[name]));

    [Theory, MemberData(nameof(Names))]
    public void Opens_no_more_connections_than_PostgreSQL_takes(string name) =>
        Assert.Empty(ConnectionRule.Breaches(deployments[name]));

    [Theory, MemberData(nameof(Names))]
    public void Names_everything_in_small_letters(string name) =>
        Assert.DoesNotContain(
            deployments[name].Resources.Select(resource => resource.Text("name")!),
            text => !text.StartsWith('[') && IsOurs(text) && text.Any(char.IsUpper));

    [Fact]
    public void Production_is_private_throughout()
    {
        var endpoints = deployments["prod with everything"].OfType("Microsoft.Network/privateEndpoints");

        Assert.Equal(8, endpoints.Count());
        Assert.Equal(
            "Disabled",
            deployments["prod"].OfType(DatabaseRule.Server).Single().Text("properties/network/publicNetworkAccess"));
    }

    [Theory]
    [InlineData("try")]
    [InlineData("dev")]
    public void A_small_size_reaches_PostgreSQL_privately_and_pays_for_no_more_of_a_network(string name)
    {
        var endpoint = Assert.Single(deployments[name].OfType("Microsoft.Network/privateEndpoints"));

        Assert.StartsWith("pep-psql-", endpoint.Text("name")!, StringComparison.Ordinal);
        Assert.Empty(deployments[name].OfType("Microsoft.Network/natGateways"));
        Assert.Empty(deployments[name].OfType("Microsoft.ContainerRegistry/registries"));
    }

    [Fact]
    public void The_size_to_try_has_nothing_that_costs_while_it_is_idle_beyond_PostgreSQL_and_its_endpoint()
    {
        var size = deployments["try"];

        Assert.Equal("Standard_B1ms", size.OfType(DatabaseRule.Server).Single().Text("sku/name"));
        Assert.Empty(size.OfType("Microsoft.Cache/redisEnterprise"));
        Assert.Empty(size.OfType("Microsoft.Insights/webtests"));
        Assert.Equal("[]", size.OfType("Microsoft.Web/sites").Single()["properties"]!["functionAppConfig"]!
            ["scaleAndConcurrency"]!["alwaysReady"]!.ToJsonString());
    }

    [Fact]
    public void The_token_of_a_workflow_is_known_by_ids_where_it_has_them()
    {
        Assert.Equal("repo:example/viral-engine:environment:prod", Subject("prod"));
        Assert.Equal("repo:example@123/viral-engine@456:environment:Prod", Subject("prod with everything"));
    }

    [Fact]
    public void A_disk_that_has_grown_is_not_asked_to_shrink()
    {
        Assert.Equal("256", Server("prod").Text("properties/storage/storageSizeGB"));
        Assert.Equal("512", Server("prod with everything").Text("properties/storage/storageSizeGB"));
    }

    [Fact]
    public void A_restored_server_and_its_task_hub_stay_when_everything_is_provisioned_again()
    {
        var restored = deployments["prod with everything"];
        var settings = restored.OfType("Microsoft.Web/sites/config").Single();

        Assert.Equal("psql-viral-prod-at-20261124100000", Server("prod with everything").Text("name"));
        Assert.Equal("viralprodAt20261124100000", settings.Text("properties/TaskHubName"));
        Assert.Contains(
            restored.OfType("Microsoft.Network/privateEndpoints"),
            endpoint => endpoint.Text("name") == "pep-psql-viral-prod-at-20261124100000");
    }

    [Theory]
    [InlineData("try", null, "7")]
    [InlineData("dev", null, "7")]
    [InlineData("prod", "true", "90")]
    public void Only_production_keeps_a_deleted_vault_against_everybody(string name, string? purge, string days)
    {
        var vault = deployments[name].OfType("Microsoft.KeyVault/vaults").Single();

        Assert.Equal(purge, vault.Text("properties/enablePurgeProtection"));
        Assert.Equal(days, vault.Text("properties/softDeleteRetentionInDays"));
        Assert.Equal(purge is null ? 0 : 2, deployments[name].OfType("Microsoft.Authorization/locks").Count());
    }

    [Fact]
    public void With_Front_Door_the_origin_answers_nobody_else()
    {
        var site = deployments["prod with everything"].OfType("Microsoft.Web/sites").Single();
        var way = Assert.Single(site["properties"]!["siteConfig"]!["ipSecurityRestrictions"]!.AsArray())!.AsObject();

        Assert.Equal("Deny", site.Text("properties/siteConfig/ipSecurityRestrictionsDefaultAction"));
        Assert.Equal("AzureFrontDoor.Backend", way.Text("ipAddress"));
        Assert.Contains("frontDoorId", way["headers"]!["x-azure-fdid"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("Prevention", deployments["prod with everything"]
            .OfType("Microsoft.Network/FrontDoorWebApplicationFirewallPolicies").Single()
            .Text("properties/policySettings/mode"));
    }

    [Fact]
    public void Azure_Policy_reports_where_it_is_asked_for_and_refuses_nothing()
    {
        const string Assignment = "Microsoft.Authorization/policyAssignments";

        Assert.Equal(
            "DoNotEnforce",
            Assert.Single(deployments["prod with everything"].OfType(Assignment)).Text("properties/enforcementMode"));
        Assert.Empty(deployments["prod"].OfType(Assignment));
    }

    [Fact]
    public void Whoever_deploys_without_being_a_person_administers_PostgreSQL_as_what_it_is()
    {
        Assert.Equal(["ServicePrincipal", "User"], Kinds("prod"));
        Assert.Equal(["ServicePrincipal", "ServicePrincipal"], Kinds("prod with everything"));

        IEnumerable<string?> Kinds(string name) => deployments[name].OfType($"{DatabaseRule.Server}/administrators")
            .Select(administrator => administrator.Text("properties/principalType")).Order(StringComparer.Ordinal);
    }

    private string Subject(string name) => deployments[name]
        .OfType("Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials").Single()
        .Text("properties/subject")!;

    private JsonObject Server(string name) => deployments[name].OfType(DatabaseRule.Server).Single();

    // A kind of the platform's, or the task hub that a restore named.
    private static bool IsOurs(string text) =>
        !text.Contains("At2026", StringComparison.Ordinal);
}
