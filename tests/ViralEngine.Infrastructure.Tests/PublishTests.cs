using System.Diagnostics;

namespace ViralEngine.Infrastructure.Tests;

/// <summary>What is published is what is built, for the store of orchestrations that was named.</summary>
public sealed class PublishTests
{
    private static readonly string Root = Path.GetFullPath(Path.Combine(BicepCompiler.Templates, "../.."));

    [Fact]
    public async Task Names_a_store_of_orchestrations_that_does_not_exist()
    {
        var (exitCode, output) = await BuildAsync("-p:DurableStorage=mssql", "-t:RefuseUnknownStorage");

        Assert.NotEqual(0, exitCode);
        Assert.Contains(
            "DurableStorage is 'mssql'. It should be 'storage' or 'azuremanaged'.", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_type_of_ours_is_declared_in_a_namespace_of_others()
    {
        var (exitCode, output) = await RunAsync("git", "grep", "-nE", "^namespace (Microsoft|System)\\b", "--", "*.cs");

        Assert.Equal("", output);
        Assert.Equal(1, exitCode);
    }

    // Without restore or build: the refusal comes before either, and other tests may be using the output.
    private static Task<(int ExitCode, string Output)> BuildAsync(params string[] arguments) =>
        RunAsync("dotnet", ["msbuild", "ViralEngine.Functions", "-nodeReuse:false", .. arguments]);

    private static async Task<(int ExitCode, string Output)> RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = Root, RedirectStandardOutput = true };
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
