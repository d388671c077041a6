namespace ViralEngine.Testing.Tests;

public sealed class AppLogTests
{
    private static readonly string[] FailedOrchestration =
    [
        "info: ViralEngine.Functions[1]", "      fine", "fail: ViralEngine.LocalHost[3]",
        "      Orchestration TaskOrchestration (1) failed: no such step", "      at Somewhere()", "warn: Another[1]",
        "      not mine",
    ];

    [Fact]
    public void An_error_that_no_test_expects_is_a_fault_with_all_its_lines() =>
        Assert.Equal(
            "fail: ViralEngine.LocalHost[3]\nOrchestration TaskOrchestration (1) failed: no such step\nat Somewhere()",
            Assert.Single(FaultsOf([], FailedOrchestration)));

    [Fact]
    public void One_that_a_test_expects_is_none() =>
        Assert.Empty(FaultsOf(["Orchestration .* failed"], FailedOrchestration));

    [Fact]
    public void What_a_lost_database_makes_the_app_log_is_none() =>
        Assert.Empty(
            FaultsOf([], ["fail: Edge[2]", "      CreateTask failed because the database cannot be reached: gone"]));

    private static IReadOnlyList<string> FaultsOf(string[] expected, string[] lines)
    {
        var log = new AppLog(expected);
        foreach (var line in lines)
            log.Add(line);
        return log.Faults();
    }
}
