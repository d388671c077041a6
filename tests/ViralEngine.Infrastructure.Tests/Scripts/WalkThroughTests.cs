using System.Text;

namespace ViralEngine.Infrastructure.Tests.Scripts;

/// <summary>
/// "azd up" from an empty environment, call by call. The files in Golden are to be read: they say what happens in
/// Azure's name. Written anew by VIRAL_WRITE_GOLDEN=1.
/// </summary>
public sealed class WalkThroughTests
{
    [Theory]
    [InlineData("try")]
    [InlineData("dev")]
    [InlineData("prod")]
    public async Task Calls_exactly_what_the_golden_file_says(string size)
    {
        using var machine = new StandIns(size);
        var walk = new StringBuilder();
        var told = 0;
        void Tell()
        {
            foreach (var call in machine.Calls.Skip(told))
                walk.Append("    ").Append(call).Append('\n');
            told = machine.Calls.Count;
        }

        var ran = await AzdUp.RunAsync(machine, begun: command =>
        {
            Tell();
            walk.Append(command).Append('\n');
        });
        Tell();

        Assert.True(ran.ExitCode == 0, ran.ToString());
        Assert.Contains("a task completed", ran.Output, StringComparison.Ordinal);
        var golden = Path.Combine(StandIns.Root, $"tests/ViralEngine.Infrastructure.Tests/Golden/azd-up.{size}.txt");
        if (Environment.GetEnvironmentVariable("VIRAL_WRITE_GOLDEN") == "1")
            await File.WriteAllTextAsync(golden, walk.ToString());
        Assert.Equal(await File.ReadAllTextAsync(golden), walk.ToString());
    }

    [Fact]
    public async Task Makes_secrets_once_and_keeps_those_that_are_there()
    {
        using var machine = new StandIns("try");
        await AzdUp.RunAsync(machine);
        var first = machine.Remembered;

        var again = await AzdUp.RunAsync(machine);

        Assert.Equal(0, again.ExitCode);
        Assert.Equal(first["VIRAL_PLATFORM_KEY"], machine.Remembered["VIRAL_PLATFORM_KEY"]);
        Assert.Equal(first["VIRAL_SECRETS_KEY"], machine.Remembered["VIRAL_SECRETS_KEY"]);
        Assert.Equal(first["VIRAL_SECRETS_EXPIRE_AT"], machine.Remembered["VIRAL_SECRETS_EXPIRE_AT"]);
    }

    [Fact]
    public async Task Packs_how_many_activities_an_instance_runs_as_the_template_says()
    {
        using var machine = new StandIns("try");

        var ran = await machine.RunAsync(
            "bash tools/azure/package.sh \"$TMPDIR/app.zip\" && unzip -p \"$TMPDIR/app.zip\" host.json");

        Assert.True(ran.ExitCode == 0, ran.ToString());
        Assert.Contains("\"maxConcurrentActivityFunctions\": 32,", ran.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Asks_for_as_much_disk_as_PostgreSQL_has_grown_to()
    {
        using var machine = new StandIns("dev");
        machine.Answer("az postgres flexible-server list *", "128");

        await machine.RunAsync(AzdUp.Commands[0]);

        Assert.Equal("128", machine.Remembered["VIRAL_POSTGRES_STORAGE_GB"]);
    }

    [Fact]
    public async Task Shows_no_secret_on_a_command_line_but_to_azd_which_keeps_it()
    {
        using var machine = new StandIns("prod");
        await AzdUp.RunAsync(machine);
        string[] secrets =
        [
            machine.Remembered["VIRAL_PLATFORM_KEY"], "a-token-for-postgres", "a-token-for-the-registry",
            "a-key-of-the-organization",
        ];

        var seen = machine.Calls.Where(call => !call.StartsWith("azd env set", StringComparison.Ordinal));

        Assert.DoesNotContain(seen, call => secrets.Any(secret => call.Contains(secret, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Leaves_no_temporary_file_with_a_token_in_it()
    {
        using var machine = new StandIns("prod");

        await AzdUp.RunAsync(machine);

        Assert.Empty(machine.LeftBehind);
    }

    [Fact]
    public async Task Refuses_to_deploy_a_package_for_another_store_of_orchestrations()
    {
        using var machine = new StandIns("dev");
        await AzdUp.RunAsync(machine);

        var ran = await machine.RunAsync(AzdUp.Commands[3], 0, ("VIRAL_DURABLE_STORAGE", "SchedulerConsumption"));

        Assert.NotEqual(0, ran.ExitCode);
        Assert.Contains("built for AzureStorage", ran.Complaints, StringComparison.Ordinal);
        Assert.Contains("SchedulerConsumption", ran.Complaints, StringComparison.Ordinal);
    }
}
