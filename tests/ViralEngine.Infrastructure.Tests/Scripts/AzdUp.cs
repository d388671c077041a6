namespace ViralEngine.Infrastructure.Tests.Scripts;

/// <summary>
/// What "azd up" does by azure.yaml: each hook as it is written there, between the two steps that are azd's own.
/// </summary>
internal static class AzdUp
{
    /// <summary>The commands in the order in which azd runs them.</summary>
    public static IReadOnlyList<string> Commands { get; } =
    [
        Hook("preprovision"),
        "azd provision",
        Hook("postprovision"),
        Hook("predeploy"),
        "azd deploy api --from-package .local/azure/app.zip",
        Hook("postdeploy"),
    ];

    /// <summary>Runs them up to the first that fails, and returns how that ended.</summary>
    public static async Task<StandIns.Ran> RunAsync(StandIns machine, int failsAt = 0, Action<string>? begun = null)
    {
        StandIns.Ran ran = new(0, "", "");
        foreach (var command in Commands)
        {
            begun?.Invoke(command);
            ran = await machine.RunAsync(command, failsAt);
            if (ran.ExitCode != 0)
                break;
        }

        return ran;
    }

    private static string Hook(string name)
    {
        var lines = File.ReadAllLines(Path.Combine(StandIns.Root, "azure.yaml"));
        return lines
            .SkipWhile(line => line != $"  {name}:")
            .Select(line => line.Trim())
            .First(line => line.StartsWith("run: ", StringComparison.Ordinal))["run: ".Length..];
    }
}
