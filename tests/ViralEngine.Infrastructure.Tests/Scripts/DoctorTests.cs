namespace ViralEngine.Infrastructure.Tests.Scripts;

/// <summary>
/// What stands in the way of a deployment is said at once, each with the command that mends it, and nothing is changed.
/// </summary>
public sealed class DoctorTests
{
    private const string Doctor = "bash tools/azure/doctor.sh";

    [Fact]
    public async Task Names_every_tool_that_is_missing_on_a_machine_that_has_none()
    {
        using var machine = new StandIns("try");

        var ran = await machine.RunAsync(
            """
            mkdir "$STANDIN/few"
            for tool in bash dirname basename cat rm mktemp tr grep sort head; do
              ln -s "$(command -v "$tool")" "$STANDIN/few/$tool"
            done
            PATH="$STANDIN/few" bash tools/azure/doctor.sh
            """);

        Assert.NotEqual(0, ran.ExitCode);
        Assert.All(
            (string[])["az", "azd", "dotnet", "zip", "unzip", "openssl", "curl", "python3"],
            tool => Assert.Contains($"- {tool} is missing.", ran.Complaints, StringComparison.Ordinal));
        Assert.Contains("doctor: 8 to fix before try", ran.Complaints, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_everything_that_a_new_subscription_lacks_with_what_mends_it()
    {
        using var machine = new StandIns("prod", "SchedulerConsumption");
        machine.Answer("az version *", "2.85.0");
        machine.Answer("az account show *", "00000000-0000-0000-0000-0000000000dd");
        machine.Answer("az provider list *", "Microsoft.Web");
        machine.Answer("az functionapp list-flexconsumption-locations *", "northeurope");
        machine.Answer("az postgres flexible-server list-skus *", "$exit 1");
        machine.Answer("az provider show *", "North Europe");
        machine.Answer("az keyvault list-deleted *", "kv-viral-abcde\\twesteurope");

        var ran = await machine.RunAsync(Doctor);

        string[] commands =
        [
            "az upgrade",
            "az account set --subscription 00000000-0000-0000-0000-0000000000cc",
            "az functionapp list-flexconsumption-locations --zone-redundant=true --output table",
            "https://aka.ms/postgres-request-quota-increase",
            "az group create --name rg-viral-prod --location westeurope && az keyvault recover --name kv-viral-abcde",
            .. from provider in (string[])
               [
                   "App", "Storage", "KeyVault", "ManagedIdentity", "Network", "DBforPostgreSQL", "OperationalInsights",
                   "Insights", "EventGrid", "Consumption", "Cache", "ContainerRegistry", "ContainerInstance",
                   "DurableTask",
               ]
               select $"az provider register --wait --namespace Microsoft.{provider}",
        ];
        Assert.NotEqual(0, ran.ExitCode);
        Assert.All(commands, command => Assert.Contains(command, ran.Complaints, StringComparison.Ordinal));
        Assert.Contains("Azure Managed Redis is not offered in westeurope", ran.Complaints, StringComparison.Ordinal);
        Assert.Contains(
            "Durable Task Scheduler is not offered in westeurope", ran.Complaints, StringComparison.Ordinal);
        Assert.DoesNotContain("keyvault purge", ran.Complaints, StringComparison.Ordinal);
        var named = ran.Complaints.Split('\n').Count(line => line.StartsWith("- ", StringComparison.Ordinal));
        Assert.Contains($"doctor: {named} to fix before prod", ran.Complaints, StringComparison.Ordinal);
        Assert.DoesNotContain(machine.Calls, call => call.Contains(" register ", StringComparison.Ordinal)
            || call.Contains(" create ", StringComparison.Ordinal) || call.Contains(" set ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("az functionapp list-flexconsumption-runtimes *", "9.0", "has no .NET 10")]
    [InlineData(
        "az postgres flexible-server list-skus *", "[{\"name\": \"Standard_D2ds_v5\"}]", "has no Standard_B1ms")]
    [InlineData("az account show *", "$exit 1", "not signed in")]
    [InlineData("dotnet --list-sdks", "8.0.400 [/usr/share/dotnet/sdk]", "SDK 10 is missing")]
    [InlineData("az keyvault list-deleted *", "kv-viral-abcde\\twesteurope", "az keyvault purge --name kv-viral-abcde")]
    public async Task Names_the_one_thing_that_is_wrong(string call, string answer, string named)
    {
        using var machine = new StandIns("try");
        machine.Answer(call, answer);

        var ran = await machine.RunAsync(Doctor);

        Assert.NotEqual(0, ran.ExitCode);
        Assert.Contains(named, ran.Complaints, StringComparison.Ordinal);
        Assert.Contains("doctor: 1 to fix", ran.Complaints, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("VIRAL_SIZE", "huge")]
    [InlineData("VIRAL_DURABLE_STORAGE", "mssql")]
    [InlineData("AZURE_ENV_NAME", "a-name-that-is-too-long")]
    public async Task Refuses_a_setting_that_means_nothing(string name, string value)
    {
        using var machine = new StandIns("try");

        var ran = await machine.RunAsync(Doctor, 0, (name, value));

        Assert.NotEqual(0, ran.ExitCode);
        Assert.Contains(value, ran.Complaints, StringComparison.Ordinal);
    }
}
