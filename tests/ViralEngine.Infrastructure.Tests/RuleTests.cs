using System.Text.Json.Nodes;
using ViralEngine.Infrastructure.Tests.Rules;

namespace ViralEngine.Infrastructure.Tests;

/// <summary>Each rule complains when what it watches over is broken: a rule that cannot fail proves nothing.</summary>
[Collection(nameof(Deployments))]
public sealed class RuleTests(Deployments deployments)
{
    private const string Everything = "prod with everything";

    public static TheoryData<string, string, string> OpenDoors => new()
    {
        { "Microsoft.Storage/storageAccounts", "properties/publicNetworkAccess", "Enabled" },
        { "Microsoft.Storage/storageAccounts", "properties/networkAcls/defaultAction", "Allow" },
        { "Microsoft.KeyVault/vaults", "properties/publicNetworkAccess", "Enabled" },
        { "Microsoft.Cache/redisEnterprise", "properties/publicNetworkAccess", "Enabled" },
        { "Microsoft.DurableTask/schedulers", "properties/publicNetworkAccess", "Enabled" },
    };

    public static TheoryData<string, string, string> SharedKeys => new()
    {
        { "Microsoft.Storage/storageAccounts", "properties/allowSharedKeyAccess", "true" },
        { "Microsoft.Storage/storageAccounts", "properties/allowBlobPublicAccess", "true" },
        { "Microsoft.DBforPostgreSQL/flexibleServers", "properties/authConfig/passwordAuth", "Enabled" },
        { "Microsoft.Cache/redisEnterprise/databases", "properties/accessKeysAuthentication", "Enabled" },
        { "Microsoft.KeyVault/vaults", "properties/enableRbacAuthorization", "false" },
        { "Microsoft.Insights/components", "properties/DisableLocalAuth", "false" },
        { "Microsoft.OperationalInsights/workspaces", "properties/features/disableLocalAuth", "false" },
        { "Microsoft.Web/sites/basicPublishingCredentialsPolicies", "properties/allow", "true" },
    };

    public static TheoryData<string, string, string> OldTls => new()
    {
        { "Microsoft.Storage/storageAccounts", "properties/minimumTlsVersion", "TLS1_1" },
        { "Microsoft.Storage/storageAccounts", "properties/supportsHttpsTrafficOnly", "false" },
        { "Microsoft.Cache/redisEnterprise", "properties/minimumTlsVersion", "1.0" },
        { "Microsoft.Cache/redisEnterprise/databases", "properties/clientProtocol", "Plaintext" },
        { "Microsoft.Web/sites", "properties/httpsOnly", "false" },
        { "Microsoft.Web/sites", "properties/siteConfig/minTlsVersion", "1.1" },
        { "Microsoft.Web/sites", "properties/siteConfig/scmMinTlsVersion", "1.0" },
    };

    [Theory, MemberData(nameof(OpenDoors))]
    public void Complains_of_a_door_beside_the_private_endpoint(string type, string path, string value) =>
        Assert.NotEmpty(PrivateEndpointRule.Breaches(With(type, path, value)));

    [Theory, MemberData(nameof(SharedKeys))]
    public void Complains_of_shared_keys(string type, string path, string value) =>
        Assert.NotEmpty(SharedKeyRule.Breaches(With(type, path, value)));

    [Theory, MemberData(nameof(OldTls))]
    public void Complains_of_old_TLS(string type, string path, string value) =>
        Assert.NotEmpty(TlsRule.Breaches(With(type, path, value)));

    [Theory]
    [InlineData("require_secure_transport", "off")]
    [InlineData("ssl_min_protocol_version", "TLSv1")]
    public void Complains_of_a_PostgreSQL_that_takes_less(string parameter, string value)
    {
        var broken = deployments[Everything].Copy();
        var setting = broken.OfType("Microsoft.DBforPostgreSQL/flexibleServers/configurations")
            .Single(resource => resource.Id().EndsWith(parameter, StringComparison.Ordinal));

        setting["properties"]!["value"] = value;

        Assert.NotEmpty(TlsRule.Breaches(broken));
    }

    [Fact]
    public void Complains_of_an_endpoint_to_something_it_does_not_know()
    {
        var broken = deployments[Everything].Copy();

        broken.OfType("Microsoft.Network/privateEndpoints").First()["properties"]!["privateLinkServiceConnections"]![0]!
            ["properties"]!["groupIds"] = new JsonArray("sqlServer");

        Assert.NotEmpty(PrivateEndpointRule.Breaches(broken));
    }

    [Fact]
    public void Complains_of_a_template_that_asks_for_keys()
    {
        var broken = deployments[Everything].Copy();

        broken.Template["outputs"]!["VIRAL_URL"]!["value"] = "[listKeys('x', '2024-01-01').keys[0].value]";

        Assert.NotEmpty(SharedKeyRule.Breaches(broken));
        Assert.NotEmpty(SecretRule.Breaches(broken));
    }

    [Fact]
    public void Complains_of_a_default_of_a_secret()
    {
        var broken = deployments[Everything].Copy();

        broken.Template["parameters"]!["platformKey"]!["defaultValue"] = "hunter2";

        Assert.NotEmpty(SecretRule.Breaches(broken));
    }

    [Fact]
    public void Complains_of_a_secret_that_is_declared_as_plain_text()
    {
        var broken = deployments[Everything].Copy();

        broken.Template["parameters"]!["platformKey"]!["type"] = "string";

        Assert.NotEmpty(SecretRule.Breaches(broken));
    }

    [Fact]
    public void Complains_of_an_output_that_shows_a_secret()
    {
        var broken = deployments[Everything].Copy();

        broken.Template["outputs"]!["VIRAL_URL"]!["value"] = "[parameters('platformKey')]";

        Assert.NotEmpty(SecretRule.Breaches(broken));
    }

    [Fact]
    public void Complains_of_a_secret_among_the_settings() =>
        Assert.NotEmpty(SecretRule.Breaches(
            With("Microsoft.Web/sites/config", "properties/Auth__PlatformKey", "hunter2")));

    [Fact]
    public void Complains_of_a_role_that_is_given_twice()
    {
        var broken = deployments[Everything].Copy();
        var role = broken.OfType("Microsoft.Authorization/roleAssignments").First();

        broken.Add(role.DeepClone().AsObject());

        Assert.NotEmpty(RoleRule.Breaches(broken));
    }

    [Fact]
    public void Complains_of_a_role_on_something_that_is_not_there()
    {
        var broken = deployments[Everything].Copy();

        broken.Remove(broken.OfType("Microsoft.DurableTask/schedulers").Single());

        Assert.NotEmpty(RoleRule.Breaches(broken));
    }

    [Fact]
    public void Complains_of_a_role_that_nothing_uses()
    {
        var broken = deployments[Everything].Copy();

        broken.OfType("Microsoft.Web/sites/config").Single()["properties"]!.AsObject()
            .Remove("DURABLE_TASK_SCHEDULER_CONNECTION_STRING");

        Assert.NotEmpty(RoleRule.Breaches(broken));
    }

    [Theory]
    [InlineData("principalId", "33333333-3333-3333-3333-333333333333")]
    [InlineData(
        "roleDefinitionId", "/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635")]
    public void Complains_of_a_role_that_is_a_stranger_or_has_one(string property, string value) =>
        Assert.NotEmpty(RoleRule.Breaches(
            With("Microsoft.Authorization/roleAssignments", $"properties/{property}", value)));

    [Fact]
    public void Complains_of_a_role_that_is_missing()
    {
        var broken = deployments[Everything].Copy();

        broken.Remove(broken.OfType("Microsoft.Authorization/roleAssignments").First());

        Assert.NotEmpty(RoleRule.Breaches(broken));
    }

    [Fact]
    public void Complains_of_a_listed_role_that_nobody_has()
    {
        var broken = deployments[Everything].Copy();
        var list = broken.Template.Objects().Select(o => o["roleIds"]).OfType<JsonObject>().First();

        list["Owner"] = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";

        Assert.NotEmpty(RoleRule.UnknownRoles(broken));
    }

    [Fact]
    public void Complains_of_each_missing_diagnostic_setting()
    {
        foreach (var setting in deployments[Everything].OfType("Microsoft.Insights/diagnosticSettings"))
        {
            var broken = deployments[Everything].Copy();

            broken.Remove(broken.Resources.Single(resource => resource.Id() == setting.Id()));

            Assert.Single(DiagnosticsRule.Breaches(broken));
        }
    }

    [Fact]
    public void Complains_of_a_type_that_it_has_not_been_told_about()
    {
        var broken = deployments[Everything].Copy();

        broken.Add(new JsonObject { ["type"] = "Microsoft.Sql/servers", ["id"] = "/x" });

        Assert.NotEmpty(DiagnosticsRule.Breaches(broken));
    }

    [Theory]
    [InlineData("properties/siteConfig/ftpsState", "Disabled")]
    [InlineData("properties/siteConfig/remoteDebuggingEnabled", "false")]
    [InlineData("properties/functionAppConfig/siteUpdateStrategy/type", "Recreate")]
    public void Complains_of_what_Flex_Consumption_refuses_or_ends_by_force(string path, string value) =>
        Assert.NotEmpty(FlexRule.Breaches(With("Microsoft.Web/sites", path, value)));

    [Theory]
    [InlineData("databases")]
    [InlineData("firewallRules")]
    public void Complains_of_a_database_of_the_platform_and_of_a_firewall_that_stays_open(string kind)
    {
        var broken = deployments[Everything].Copy();

        broken.Add(new JsonObject { ["type"] = $"{DatabaseRule.Server}/{kind}", ["id"] = "/x" });

        Assert.NotEmpty(DatabaseRule.Breaches(broken));
    }

    [Fact]
    public void Complains_of_administrators_that_come_before_the_parameters_of_the_server()
    {
        var broken = deployments[Everything].Copy();

        foreach (var o in broken.Template.Objects().Where(
            o => o["type"]?.ToString() == $"{DatabaseRule.Server}/administrators"))
            o["dependsOn"] = new JsonArray("server");

        Assert.Equal(2, DatabaseRule.Breaches(broken).Count());
    }

    [Theory]
    [InlineData("ConnectionStrings__Postgres", "Host=x;SSL Mode=Require")]
    [InlineData("ConnectionStrings__Redis", "x:10000,ssl=false")]
    public void Complains_of_a_connection_that_whoever_answers_may_have(string setting, string value) =>
        Assert.NotEmpty(TlsRule.Breaches(With("Microsoft.Web/sites/config", $"properties/{setting}", value)));

    [Theory]
    [InlineData("type", "AzureStorage")]
    [InlineData("connectionStringName", "SOMETHING_ELSE")]
    public void Complains_of_an_app_that_keeps_orchestrations_elsewhere(string setting, string value) =>
        Assert.NotEmpty(OrchestrationRule.Breaches(With(
            "Microsoft.Web/sites/config",
            $"properties/AzureFunctionsJobHost__extensions__durableTask__storageProvider__{setting}",
            value)));

    [Theory]
    [InlineData("10")]
    [InlineData("256")]
    public void Complains_of_an_instance_that_runs_too_few_activities_or_too_many(string value) =>
        Assert.NotEmpty(OrchestrationRule.Breaches(
            With("Microsoft.Web/sites/config", $"properties/{OrchestrationRule.Activities}", value)));

    [Fact]
    public void Complains_of_settings_for_a_scheduler_that_is_not_there()
    {
        var broken = deployments[Everything].Copy();

        broken.Remove(broken.OfType("Microsoft.DurableTask/schedulers").Single());

        Assert.NotEmpty(OrchestrationRule.Breaches(broken));
    }

    [Fact]
    public void Complains_of_a_question_that_looks_back_further_than_it_says()
    {
        var broken = deployments[Everything].Copy();

        foreach (var alert in broken.OfType("Microsoft.Insights/scheduledQueryRules"))
            alert["properties"]!["overrideQueryTimeRange"] = "PT15M";

        Assert.Equal(5, AlertRule.Breaches(broken).Count());
    }

    [Theory]
    [InlineData("2026-11-01")]
    [InlineData("2025-09-01-preview")]
    public void Complains_of_an_API_that_is_too_young(string version) =>
        Assert.NotEmpty(ApiVersionRule.Breaches(
            With("Microsoft.KeyVault/vaults", "apiVersion", version), new DateOnly(2026, 11, 26)));

    [Fact]
    public void Complains_of_each_missing_alert()
    {
        string[] types =
        [
            "Microsoft.Insights/scheduledQueryRules", "Microsoft.Consumption/budgets",
            "Microsoft.EventGrid/systemTopics/eventSubscriptions",
        ];
        foreach (var alert in types.SelectMany(type => deployments[Everything].OfType(type)))
        {
            var broken = deployments[Everything].Copy();

            broken.Remove(broken.Resources.Single(resource => resource.Id() == alert.Id()));

            Assert.NotEmpty(AlertRule.Breaches(broken));
        }
    }

    [Fact]
    public void Complains_of_more_connections_than_there_are()
    {
        var broken = deployments["try"].Copy();

        broken.OfType("Microsoft.Web/sites").Single()["properties"]!["functionAppConfig"]!["scaleAndConcurrency"]!
            ["maximumInstanceCount"] = 40;

        Assert.NotEmpty(ConnectionRule.Breaches(broken));
    }

    [Fact]
    public void Complains_of_an_app_that_may_change_its_package()
    {
        var broken = deployments[Everything].Copy();
        var package = broken.OfType("Microsoft.Authorization/roleAssignments")
            .Single(role => role.Id().Contains("/stpkg", StringComparison.Ordinal));

        package["properties"]!["principalId"] = package.Text("properties/principalId")!.Replace(
            ".package.", ".app.", StringComparison.Ordinal);

        Assert.NotEmpty(RoleRule.Breaches(broken));
    }

    [Fact]
    public void Complains_of_a_missing_tag()
    {
        var broken = deployments[Everything].Copy();

        broken.OfType("Microsoft.KeyVault/vaults").Single()["tags"]!.AsObject().Remove("environment");

        Assert.NotEmpty(TagRule.Breaches(broken));
    }

    private Deployment With(string type, string path, string value)
    {
        var broken = deployments[Everything].Copy();
        var steps = path.Split('/');
        JsonNode node = broken.OfType(type).First();
        foreach (var step in steps[..^1])
            node = node[step]!;
        node[steps[^1]] = value is "true" or "false" ? JsonNode.Parse(value) : value;
        return broken;
    }
}
