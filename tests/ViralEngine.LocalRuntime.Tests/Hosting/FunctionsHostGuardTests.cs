using ViralEngine.LocalRuntime.Hosting;

namespace ViralEngine.LocalRuntime.Tests.Hosting;

public sealed class FunctionsHostGuardTests
{
    [Theory]
    [InlineData(true, "dotnet-isolated", "--functions-uri", "http://127.0.0.1:1", "--functions-worker-id", "x")]
    [InlineData(true, "dotnet-isolated", "--functions-uri=http://127.0.0.1:1")]
    [InlineData(true, "dotnet-isolated", "--host", "127.0.0.1", "--port", "1", "--workerId", "x")]
    [InlineData(false, "dotnet-isolated")]
    [InlineData(false, "dotnet-isolated", "--port", "7072")]
    [InlineData(false, null, "--functions-uri", "http://127.0.0.1:1")]
    public void Knows_when_the_functions_host_has_started_it(
        bool expected, string? workerRuntime, params string[] args) =>
        Assert.Equal(expected, FunctionsHostGuard.StartedByHost(args, workerRuntime));

    [Fact]
    public void Names_the_property_that_builds_for_the_host() =>
        Assert.Contains("-p:FunctionsRuntime=azure", FunctionsHostGuard.Message, StringComparison.Ordinal);
}
