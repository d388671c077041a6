using System.Diagnostics;

namespace ViralEngine.Infrastructure.Tests;

/// <summary>A build for one machine does not get published by mistake.</summary>
public sealed class PublishTests
{
    private static readonly string Root = Path.GetFullPath(Path.Combine(BicepCompiler.Templates, "../.."));

    [Fact]
    public async Task Stops_a_publish_that_does_not_say_what_it_is_for_and_tells_how()
    {
        var (exitCode, output) = await PublishAsync();

        Assert.NotEqual(0, exitCode);
        Assert.Contains("VIRAL001", output, StringComparison.Ordinal);
        Assert.Contains("-p:FunctionsRuntime=azure", output, StringComparison.Ordinal);
        Assert.Contains("-p:FunctionsRuntime=local", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lets_a_local_build_through_that_was_asked_for()
    {
        var (_, output) = await PublishAsync("-p:FunctionsRuntime=local", "-t:RefuseToPublishByMistake");

        Assert.DoesNotContain("VIRAL001", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_a_runtime_that_does_not_exist()
    {
        var (exitCode, output) = await PublishAsync("-p:FunctionsRuntime=aws", "-t:RefuseUnknownRuntime");

        Assert.NotEqual(0, exitCode);
        Assert.Contains("FunctionsRuntime=aws is neither 'local' nor 'azure'", output, StringComparison.Ordinal);
    }

    // Without restore or build: the refusal comes before either, and other tests may be using the output.
    private static async Task<(int ExitCode, string Output)> PublishAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { WorkingDirectory = Root, RedirectStandardOutput = true };
        string[] command = arguments is [_, ..]
            ? ["msbuild", "ViralEngine.Functions", "-nodeReuse:false", .. arguments]
            : ["publish", "ViralEngine.Functions", "--no-restore", "-nodeReuse:false"];
        foreach (var argument in command)
            start.ArgumentList.Add(argument);
        start.Environment.Remove("FunctionsRuntime");
        // Set by the test host's own MSBuild, and not meant for another.
        start.Environment.Remove("MSBuildSDKsPath");
        start.Environment.Remove("MSBUILD_EXE_PATH");
        start.Environment["DOTNET_NOLOGO"] = "1";

        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, output);
    }
}
