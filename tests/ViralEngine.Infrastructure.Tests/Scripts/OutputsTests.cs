namespace ViralEngine.Infrastructure.Tests.Scripts;

/// <summary>What a deployment without azd tells those who come after it.</summary>
public sealed class OutputsTests
{
    [Fact]
    public async Task Names_are_those_of_the_template_whatever_case_Resource_Manager_returns_them_in()
    {
        using var machine = new StandIns("prod");

        var ran = await machine.RunAsync(
            """
            file="$(mktemp)"
            echo '{"azurE_RESOURCE_GROUP": {"type": "String", "value": "rg-viral-prod"},
                "viraL_REGISTRY": {"type": "String", "value": ""}}' >"$file"
            bash tools/azure/outputs.sh "$file"
            """);

        Assert.Equal("AZURE_RESOURCE_GROUP=rg-viral-prod\nVIRAL_REGISTRY=\n", ran.Output);
    }

    [Fact]
    public async Task Says_so_when_there_are_none()
    {
        using var machine = new StandIns("prod");

        var ran = await machine.RunAsync("file=\"$(mktemp)\"; bash tools/azure/outputs.sh \"$file\"");

        Assert.NotEqual(0, ran.ExitCode);
        Assert.EndsWith("does not hold the outputs of a deployment\n", ran.Complaints, StringComparison.Ordinal);
    }

    [Fact]
    public void Are_written_in_capitals_throughout() =>
        Assert.All(
            File.ReadLines(Path.Combine(BicepCompiler.Templates, "main.bicep"))
                .Where(line => line.StartsWith("output ", StringComparison.Ordinal)),
            line => Assert.Matches("^output [A-Z_]+ string = ", line));
}
