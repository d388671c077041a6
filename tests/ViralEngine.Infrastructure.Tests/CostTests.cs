using System.Globalization;
using System.Text.RegularExpressions;
using ViralEngine.Infrastructure.Tests.Scripts;

namespace ViralEngine.Infrastructure.Tests;

/// <summary>What docs/cost.md says is what tools/azure/cost.sh works out, from what there is.</summary>
public sealed partial class CostTests
{
    private const string Cost = "bash tools/azure/cost.sh";

    [Fact]
    public async Task The_document_has_the_numbers_of_the_script()
    {
        using var machine = new StandIns("try");

        var ran = await machine.RunAsync(Cost);

        Assert.True(ran.ExitCode == 0, ran.ToString());
        Assert.Contains(
            ran.Output,
            await File.ReadAllTextAsync(Path.Combine(StandIns.Root, "docs/cost.md")),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_size_to_try_costs_60_a_month_at_most()
    {
        using var machine = new StandIns("try");

        var ran = await machine.RunAsync(Cost);

        var line = ran.Output.Split('\n').Single(line => line.StartsWith("| try |", StringComparison.Ordinal));
        Assert.InRange(double.Parse(line.Split('|')[9], CultureInfo.InvariantCulture), 20, 60);
    }

    // Each is a group that scales apart: spread over zones, two instances of it are paid for all the time.
    [Fact]
    public async Task Every_timer_of_the_app_is_counted()
    {
        var timers = Directory.EnumerateFiles(
            Path.Combine(StandIns.Root, "ViralEngine.Functions"), "*.cs", SearchOption.AllDirectories)
            .Sum(file => Regex.Count(File.ReadAllText(file), @"\[TimerTrigger\("));
        var script = await File.ReadAllTextAsync(Path.Combine(StandIns.Root, "tools/azure/cost.sh"));

        Assert.Equal(timers, int.Parse(Timers().Match(script).Groups[1].Value, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"\{TIMERS:-([0-9]+)\}")]
    private static partial Regex Timers();
}
