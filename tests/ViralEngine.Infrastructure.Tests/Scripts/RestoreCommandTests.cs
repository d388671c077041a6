namespace ViralEngine.Infrastructure.Tests.Scripts;

/// <summary>How the app is moved to a server as of another time.</summary>
public sealed class RestoreCommandTests
{
    private const string Restore = "bash tools/azure/restore.sh --at 2026-11-24T10:00:00Z";

    // Whether backups are copied to another region is chosen when a server is made, and cannot be provisioned
    // afterwards.
    [Theory]
    [InlineData("Enabled")]
    [InlineData("Disabled")]
    public async Task Keeps_its_backups_where_those_of_the_old_server_are(string geo)
    {
        using var machine = new StandIns("prod");
        await machine.RunAsync("azd provision");
        machine.Answer("az postgres flexible-server show * --query backup.geoRedundantBackup *", geo);

        var ran = await machine.RunAsync(Restore);

        Assert.True(ran.ExitCode == 0, ran.ToString());
        Assert.Single(machine.Calls, call =>
            call.StartsWith("az postgres flexible-server restore ", StringComparison.Ordinal)
            && call.Contains($"--geo-redundant-backup {geo} ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Stops_the_app_first_provisions_with_the_new_names_and_starts_it_at_last()
    {
        using var machine = new StandIns("prod");
        await machine.RunAsync("azd provision");
        var before = machine.Calls.Count;

        await machine.RunAsync(Restore);

        string[] steps =
        [
            "az functionapp stop", "az postgres flexible-server restore", "azd env set VIRAL_POSTGRES_SERVER",
            "azd env set VIRAL_TASK_HUB", "azd provision", "az functionapp start"
        ];
        var calls = machine.Calls.Skip(before).ToList();
        Assert.Equal(
            steps,
            calls.Select(call => steps.FirstOrDefault(step => call.StartsWith(step, StringComparison.Ordinal)))
                .OfType<string>());
        Assert.Contains("azd env set VIRAL_POSTGRES_SERVER psql-viral-prod-abcde-at-20261124100000", calls);
        Assert.Contains("azd env set VIRAL_TASK_HUB viralprodAt20261124100000", calls);
    }

    [Theory]
    [InlineData("")]
    [InlineData("--at")]
    [InlineData("--at yesterday")]
    [InlineData("--everything")]
    public async Task Does_nothing_when_it_is_not_said_what(string arguments)
    {
        using var machine = new StandIns("prod");
        await machine.RunAsync("azd provision");

        var ran = await machine.RunAsync($"bash tools/azure/restore.sh {arguments}");

        Assert.NotEqual(0, ran.ExitCode);
        Assert.StartsWith("restore: ", ran.Complaints, StringComparison.Ordinal);
        Assert.Single(machine.Calls);
    }
}
