using System.Diagnostics;
using System.Security.Cryptography;

namespace ViralEngine.Testing;

/// <summary>
/// A folder of tests that needs packages from npm: a package.json with its lock file, and what is beside them. Installed under
/// .local/npm, once for each state of the lock file.
/// </summary>
public sealed class NpmFolder(string name)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private readonly Lazy<Task<string>> installed = new(() => InstallAsync(name));

    /// <summary>Runs a program in the installed folder.</summary>
    /// <returns>What it wrote to its standard output.</returns>
    /// <exception cref="InvalidOperationException">It ended with another code than 0; the message has what it wrote.</exception>
    public async Task<string> RunAsync(string program, string[] args, string input = "") =>
        await RunInAsync(await installed.Value, program, args, input);

    /// <summary>Starts a script of the installed folder, which goes on until it is disposed.</summary>
    public async Task<ChildProcess> StartAsync(string script, params string[] args) =>
        ChildProcess.Start(Path.Combine(await installed.Value, script), args, new Dictionary<string, string?>(), host: "node");

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

    private static async Task<string> RunInAsync(string folder, string program, string[] args, string input)
    {
        using var process = Process.Start(new ProcessStartInfo(program, args)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            // The linter would else report its use and look for a newer version.
            Environment = { ["REDOCLY_TELEMETRY"] = "off", ["REDOCLY_SUPPRESS_UPDATE_NOTICE"] = "true" },
        })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync().WaitAsync(Patience);
        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException($"{program} ended with {process.ExitCode}:\n{await errors}\n{await output}");
    }
}
