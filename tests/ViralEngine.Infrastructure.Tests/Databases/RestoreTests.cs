using System.Globalization;
using Npgsql;
using ViralEngine.Infrastructure.Tests.Scripts;

namespace ViralEngine.Infrastructure.Tests.Databases;

/// <summary>
/// The drill of tools/azure/restore.sh: az is a stand-in whose "restore" copies a real database, and the copy is
/// compared with real statements.
/// </summary>
[Trait("Category", "Database")]
public sealed class RestoreTests : IAsyncLifetime, IDisposable
{
    private const string Drill = "bash tools/azure/restore.sh --drill --at ";

    private readonly StandIns machine = new("dev");
    private AzureServer azure = null!;

    private static string Now =>
        DateTime.UtcNow.AddSeconds(1).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    public async Task InitializeAsync()
    {
        azure = await AzureServer.StartAsync();
        var migrated = await azure.MigrateAsync(azure.Operator);
        Assert.True(migrated.ExitCode == 0, migrated.Complaints);
        await MakeOrganizationAsync("one");
        await machine.RunAsync("azd provision");

        machine.Answer(
            "az postgres flexible-server restore *",
            "$" + Psql("postgres", $"CREATE DATABASE {azure.Copy} TEMPLATE {azure.Database}"));
        machine.Answer("az postgres flexible-server show *-drill-*--query fullyQualifiedDomainName *", "copy.example");
        machine.Answer("az postgres flexible-server show *--query fullyQualifiedDomainName *", "used.example");
        // Two servers on Azure are two databases here.
        machine.Replace("psql", $"""
            #!/usr/bin/env bash
            arguments=() database={azure.Database}
            while [[ $# -gt 0 ]]; do
              case "$1" in
                --host) [[ "$2" != copy.example ]] || database={azure.Copy}; shift 2 ;;
                --port | --dbname) shift 2 ;;
                *) arguments+=("$1"); shift ;;
              esac
            done
            PATH="${"{PATH#*:}"}" PGSSLMODE=disable exec psql "${"{arguments[@]}"}" \
              --host {azure.Server.Host} --port {azure.Server.Port} --dbname "$database"
            """);
    }

    public async Task DisposeAsync() => await azure.DisposeAsync();

    public void Dispose() => machine.Dispose();

    [Fact]
    public async Task Compares_the_copy_and_deletes_it()
    {
        var ran = await RunAsync(Now);

        Assert.True(ran.ExitCode == 0, ran.ToString());
        Assert.Contains(
            "organizations made by then: 1 in use, 1 in the copy", ran.Complaints, StringComparison.Ordinal);
        Assert.Contains("tasks accepted by then: 0 in use, 0 in the copy", ran.Complaints, StringComparison.Ordinal);
        Assert.Single(
            machine.Calls, call => call.StartsWith("az postgres flexible-server delete ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Says_what_the_copy_lacks_and_deletes_it_all_the_same()
    {
        machine.Answer(
            "az postgres flexible-server show *-drill-*--query fullyQualifiedDomainName *",
            "$" + Psql(azure.Copy, "DELETE FROM viral.organizations") + " >&2; echo copy.example");

        var ran = await RunAsync(Now);

        Assert.NotEqual(0, ran.ExitCode);
        Assert.Contains("the copy lacks 1 organizations", ran.Complaints, StringComparison.Ordinal);
        Assert.Single(
            machine.Calls, call => call.StartsWith("az postgres flexible-server delete ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Does_not_count_what_came_later()
    {
        var at = Now;
        await machine.RunAsync("sleep 2");
        await MakeOrganizationAsync("two");

        var ran = await RunAsync(at);

        Assert.Contains("organizations made by then: 1 in use", ran.Complaints, StringComparison.Ordinal);
    }

    // The real one, as the superuser: what Azure does by itself.
    private string Psql(string database, string statement) =>
        $"env PATH=\"${{PATH#*:}}\" PGPASSWORD='{azure.Server.Password}' PGUSER={azure.Server.Username} "
        + "PGSSLMODE=disable "
        + $"psql --no-psqlrc --quiet --host {azure.Server.Host} --port {azure.Server.Port} --dbname {database} "
        + $"--command '{statement}'";

    private Task<StandIns.Ran> RunAsync(string at) => machine.RunAsync(
        Drill + at, 0, ("VIRAL_LOGIN", azure.Operator), ("PGPASSWORD", "token"), ("PGSSLMODE", "disable"));

    private async Task MakeOrganizationAsync(string name)
    {
        await using var source = NpgsqlDataSource.Create(azure.In(azure.Database));
        await using var command = source.CreateCommand(
            "INSERT INTO viral.organizations (id, name, plan) VALUES (gen_random_uuid(), $1, 'free')");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
        await command.ExecuteNonQueryAsync();
    }
}
