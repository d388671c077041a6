using System.Security.Cryptography;

namespace ViralEngine.Testing;

/// <summary>
/// A folder of tests that needs packages from npm: a package.json with its lock file, and what is beside them.
/// Installed under .local/npm, once for each state of the lock file.
/// </summary>
public sealed class NpmFolder(string name)
{
    private readonly Lazy<Task<string>> installed = new(() => InstallAsync(name));

    /// <summary>Runs a program in the installed folder.</summary>
    /// <returns>What it wrote to its standard output.</returns>
    /// <exception cref="InvalidOperationException">It ended with another code than 0; the message has what it
    /// wrote.</exception>
    public async Task<string> RunAsync(string program, string[] args, string input = "") =>
        await RunInAsync(await installed.Value, program, args, input);

    /// <summary>Starts a script of the installed folder, which goes on until it is disposed.</summary>
    /// <param name="onLine">Is given every line of its output.</param>
    public async Task<ChildProcess> StartAsync(
        string script, string[] args, Action<string?>? onLine = null) => ChildProcess.Start(
        Path.Combine(await installed.Value, script), args, new Dictionary<string, string?>(), host: "node", onLine);

    private static async Task<string> InstallAsync(string name)
    {
        var source = Path.Combine(Repository.Root, "tests", name);
        var hash = SHA256.HashData(await File.ReadAllBytesAsync(Path.Combine(source, "package-lock.json")));
        var folder = Path.Combine(Repository.Root, ".local", "npm", name, Convert.ToHexStringLower(hash)[..16]);
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.EnumerateFiles(source))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        if (!File.Exists(Path.Combine(folder, "installed")))
        {
            await RunInAsync(folder, "npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"], "");
            await File.WriteAllTextAsync(Path.Combine(folder, "installed"), "");
        }

        return folder;
    }

    // The linter would else report its use and look for a newer version.
    private static Task<string> RunInAsync(
        string folder, string program, string[] args, string input) => Programs.RunAsync(
        folder, program, args, input,
        new Dictionary<string, string?> { ["REDOCLY_TELEMETRY"] = "off", ["REDOCLY_SUPPRESS_UPDATE_NOTICE"] = "true" });
}
