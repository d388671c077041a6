namespace ViralEngine.Infrastructure.Tests.Scripts;

/// <summary>
/// Every call of every script fails once. Then there is a message of the script's own, what was opened is closed, what
/// was made for the moment is gone, and running the same again succeeds.
/// </summary>
public sealed class FailureTests
{
    // Answers that are nice to have, and polls: without them the scripts go on, rightly.
    private static readonly string[] Tolerated =
    [
        "azd env get-value ", "az version ", "az keyvault list-deleted ", "az container logs ", "az container delete ",
        "curl --silent --fail ", "curl *GET", "curl *DELETE",
    ];

    public static TheoryData<string, string> Scripts => new()
    {
        { "try", "bash tools/azure/doctor.sh" },
        { "prod", "bash tools/azure/doctor.sh" },
        { "try", "bash tools/azure/migrate.sh" },
        { "prod", "bash tools/azure/migrate.sh" },
        { "try", "bash tools/azure/package.sh .local/azure/failure-test.zip" },
        { "try", "bash tools/azure/smoke.sh \"$VIRAL_URL\"" },
        { "dev", "bash tools/azure/restore.sh --at 2026-11-24T10:00:00Z" },
        { "dev", "bash tools/azure/restore.sh --drill --at 2026-11-24T10:00:00Z" },
        { "try", "bash tools/azure/vulnerable.sh" },
    };

    [Theory, MemberData(nameof(Scripts))]
    public Task Says_what_is_wrong_and_takes_back_what_it_did(string size, string command) =>
        FailAtEachAsync(size, command, from: 1);

    // The pre-flight, which it begins with, has its turn above.
    [Fact]
    public async Task Sets_nothing_before_everything_is_known()
    {
        using var machine = new StandIns("try");
        await machine.RunAsync("bash tools/azure/doctor.sh");

        await FailAtEachAsync("try", AzdUp.Commands[0], from: machine.Calls.Count + 1);
    }

    private static async Task FailAtEachAsync(string size, string command, int from)
    {
        int calls;
        using (var whole = await ProvisionedAsync(size))
        {
            var ran = await whole.RunAsync(command);
            Assert.True(ran.ExitCode == 0, ran.ToString());
            calls = whole.Calls.Count - 1;
        }

        Assert.True(calls >= from, $"{command} makes no call");
        for (var n = from; n <= calls; n++)
        {
            using var machine = await ProvisionedAsync(size);
            var before = machine.Calls.Count;
            var ran = await machine.RunAsync(command, before + n);
            var failed = machine.Calls[before + n - 1];

            if (ran.ExitCode == 0)
                Assert.True(IsTolerated(failed), $"{failed} failed, and {command} went on");
            else
                AssertMessage(command, failed, ran);
            AssertNothingLeft(machine, failed);
            var again = await machine.RunAsync(command);
            Assert.True(again.ExitCode == 0, $"after {failed} had failed, running it again: {again}");
        }
    }

    private static async Task<StandIns> ProvisionedAsync(string size)
    {
        var machine = new StandIns(size);
        // What was restored is there the next time.
        machine.Answer(
            "az postgres flexible-server list --resource-group *",
            "$grep -q 'flexible-server restore' \"$STANDIN/calls\" && echo there || true");
        var ran = await machine.RunAsync("azd provision");
        Assert.Equal(0, ran.ExitCode);
        await machine.RunAsync(
            "printf 'VIRAL_OPERATOR_NAME=olga@example.com\\nVIRAL_PLATFORM_KEY=p\\n' >>\"$STANDIN/azd.env\"");
        return machine;
    }

    private static bool IsTolerated(string call) => Tolerated.Any(start =>
        start.Split('*') is [var first, var second]
            ? call.StartsWith(first, StringComparison.Ordinal) && call.Contains(second, StringComparison.Ordinal)
            : call.StartsWith(start, StringComparison.Ordinal));

    // The last word is the script's, and more than what the failed program said.
    private static void AssertMessage(string command, string failed, StandIns.Ran ran)
    {
        var said = ran.Complaints.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? "";
        Assert.True(
            said.Contains(": ", StringComparison.Ordinal) && said.Length > 30
                && !said.Contains("something went wrong", StringComparison.Ordinal)
                && !said.Contains("unbound variable", StringComparison.Ordinal)
                && !said.Contains(" line ", StringComparison.Ordinal),
            $"{failed} failed, and {command} said only: {ran}");
    }

    private static void AssertNothingLeft(StandIns machine, string failed)
    {
        foreach (var (made, gone) in ((string, string)[])
            [
                ("firewall-rule create", "firewall-rule delete"),
                ("az container create", "az container delete"),
                ("az functionapp stop", "az functionapp start"),
                ("az postgres flexible-server restore --resource-group rg-viral-dev --name psql-viral-dev-abcde-drill",
                    "az postgres flexible-server delete"),
            ])
        {
            if (machine.Calls.Any(call => call.Contains(made, StringComparison.Ordinal))
                && !failed.Contains(made, StringComparison.Ordinal))
                Assert.True(
                    machine.Calls.Any(call => call.Contains(gone, StringComparison.Ordinal)),
                    $"{failed} failed after {made}, and there was no {gone}");
        }

        Assert.Empty(machine.LeftBehind);
        Assert.Equal("psql-viral-", machine.Remembered["VIRAL_POSTGRES_SERVER"][..11]);
        // What azd remembers is what the app uses: the new server only when the app was moved to it.
        if (failed.StartsWith("azd ", StringComparison.Ordinal))
            Assert.DoesNotContain("-at-", machine.Remembered["VIRAL_POSTGRES_SERVER"], StringComparison.Ordinal);
    }
}
