using System.Text.RegularExpressions;

namespace ViralEngine.Infrastructure.Tests;

/// <summary>What can be said of the GitHub workflows without running them there.</summary>
public sealed partial class WorkflowTests
{
    private static readonly string Folder = Path.Combine(BicepCompiler.Templates, "../../.github/workflows");

    public static TheoryData<string> Files =>
        [.. Directory.EnumerateFiles(Folder).Select(file => Path.GetFileName(file))];

    private static string Deploy => File.ReadAllText(Path.Combine(Folder, "deploy.yml"));

    [Theory, MemberData(nameof(Files))]
    public void Takes_each_action_by_its_commit(string file)
    {
        var used = Uses().Matches(File.ReadAllText(Path.Combine(Folder, file))).Select(match => match.Groups[1].Value)
            .ToList();

        Assert.NotEmpty(used);
        Assert.All(used, action => Assert.Matches("^[\\w-]+/[\\w-]+@[0-9a-f]{40} # v[0-9.]+$", action));
    }

    [Theory, MemberData(nameof(Files))]
    public void Gives_every_token_no_more_than_reading_unless_a_job_needs_it(string file) =>
        Assert.Matches("(?m)^permissions:\n  contents: read\n\n", File.ReadAllText(Path.Combine(Folder, file)));

    // "runs-on" sees no variable of an environment, and neither does a job without one: those read variables of the
    // repository, which are named for the environment they are about.
    [Fact]
    public void Reads_where_no_environment_is_only_variables_of_the_repository()
    {
        var build = Between("  build:", "  preview:");
        var machines = RunsOn().Matches(Deploy).Select(match => match.Value);

        Assert.All(
            Variables().Matches(build + string.Concat(machines)).Select(match => match.Groups[1].Value),
            name => Assert.Matches("_(DEV|PROD)$", name));
    }

    [Fact]
    public void Chooses_the_store_of_orchestrations_once_and_refuses_a_package_for_another()
    {
        Assert.Single(Regex.Matches(Deploy, "vars.VIRAL_DURABLE_STORAGE_PROD"));
        Assert.DoesNotContain("vars.VIRAL_DURABLE_STORAGE }}", Deploy, StringComparison.Ordinal);
        Assert.Contains("bash tools/azure/fits.sh new/app.zip", Deploy, StringComparison.Ordinal);
    }

    // Resource Manager returns their names in a case of its own.
    [Fact]
    public void Takes_the_outputs_of_a_deployment_by_the_names_of_the_template()
    {
        Assert.Contains("bash tools/azure/outputs.sh outputs.json >>\"$GITHUB_ENV\"", Deploy, StringComparison.Ordinal);
        Assert.DoesNotContain(" jq ", Deploy, StringComparison.Ordinal);
    }

    [Fact]
    public void Asks_for_one_approval()
    {
        var environments = Regex.Matches(Deploy, "(?m)^    environment: (.*)$").Select(match => match.Groups[1].Value)
            .ToList();

        Assert.Equal(2, environments.Count);
        Assert.Single(environments, name => !name.EndsWith("-preview", StringComparison.Ordinal));
    }

    [Fact]
    public void Previews_as_an_identity_that_may_only_look()
    {
        var preview = Between("  preview:", "  release:");

        Assert.Contains("vars.AZURE_PREVIEW_CLIENT_ID", preview, StringComparison.Ordinal);
        Assert.DoesNotContain("vars.AZURE_CLIENT_ID", preview, StringComparison.Ordinal);
        Assert.DoesNotContain("secrets.", preview, StringComparison.Ordinal);
        Assert.Contains("ProviderNoRbac", preview, StringComparison.Ordinal);
    }

    [Fact]
    public void Says_what_is_in_the_package_where_it_comes_from_and_what_is_known_against_it()
    {
        var build = Between("  build:", "  preview:");

        Assert.Contains("tools/azure/vulnerable.sh", build, StringComparison.Ordinal);
        Assert.Contains("CycloneDX", build, StringComparison.Ordinal);
        Assert.Contains("actions/attest-build-provenance@", build, StringComparison.Ordinal);
    }

    // Each parameter that the workflow could set is set, and each that it sets is read.
    [Fact]
    public void Sets_what_the_parameter_file_reads()
    {
        var read = Regex.Matches(
                File.ReadAllText(Path.Combine(BicepCompiler.Templates, "main.bicepparam")),
                @"readEnvironmentVariable\('(\w+)'")
            .Select(match => match.Groups[1].Value);
        // The operator is a person with azd.
        string[] notHere = ["VIRAL_OPERATOR_OBJECT_ID", "VIRAL_OPERATOR_NAME", "VIRAL_OPERATOR_TYPE"];

        Assert.All(read.Except(notHere), name => Assert.Contains($"{name}", Deploy, StringComparison.Ordinal));
    }

    private static string Between(string from, string to) =>
        Deploy[Deploy.IndexOf(from, StringComparison.Ordinal)..Deploy.IndexOf(to, StringComparison.Ordinal)];

    [GeneratedRegex(@"(?m)uses: (.+)$")]
    private static partial Regex Uses();

    [GeneratedRegex(@"(?m)^    runs-on: .*$")]
    private static partial Regex RunsOn();

    [GeneratedRegex(@"vars\.(\w+)")]
    private static partial Regex Variables();
}
