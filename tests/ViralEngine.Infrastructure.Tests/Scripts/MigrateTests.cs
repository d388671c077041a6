namespace ViralEngine.Infrastructure.Tests.Scripts;

/// <summary>
/// The token of whoever migrates goes only to a server whose certificate is for the name that was asked.
/// </summary>
public sealed class MigrateTests
{
    [Theory]
    [InlineData("try", "dotnet run *", "$printf '%s\\n' \"$VIRAL_CONNECTION\"")]
    [InlineData("prod", "az container create *", "$cat \"$(sed 's/.*--file \\([^ ]*\\).*/\\1/' <<<\"$line\")\"")]
    public async Task Trusts_no_server_by_its_address_alone(string size, string call, string shown)
    {
        using var machine = new StandIns(size);
        await machine.RunAsync("azd provision");
        machine.Answer(call, shown);

        var ran = await machine.RunAsync("bash tools/azure/migrate.sh", 0, ("VIRAL_LOGIN", "olga@example.com"));

        Assert.True(ran.ExitCode == 0, ran.ToString());
        Assert.Contains(
            $"Host=psql-viral-{size}-abcde.postgres.database.azure.com", ran.Output, StringComparison.Ordinal);
        Assert.Contains("SSL Mode=VerifyFull", ran.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rehearses_a_restore_with_servers_that_prove_their_names()
    {
        using var machine = new StandIns("dev");
        await machine.RunAsync("azd provision");
        machine.Answer("psql *", "$printf '%s %s\\n' \"$PGSSLMODE\" \"$PGSSLROOTCERT\"");

        var ran = await machine.RunAsync("bash tools/azure/restore.sh --drill", 0, ("VIRAL_LOGIN", "olga@example.com"));

        Assert.Contains("verify-full system in use", ran.Complaints, StringComparison.Ordinal);
    }
}
