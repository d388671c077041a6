using System.ComponentModel;
using System.Diagnostics;
using System.Reflection;

namespace ViralEngine.Infrastructure.Tests;

/// <summary>Runs the Bicep compiler that the project's package brought.</summary>
internal static class BicepCompiler
{
    /// <summary>The folder of the templates.</summary>
    public static string Templates { get; } = Metadata("Templates");

    private static readonly string Program = Metadata("BicepProgram");

    /// <summary>Every file that is compiled on its own, relative to <see cref="Templates"/>.</summary>
    public static IEnumerable<string> Files =>
        Directory.EnumerateFiles(Templates, "*.bicep*", SearchOption.AllDirectories)
            .Where(file => file.EndsWith(".bicep", StringComparison.Ordinal)
                || file.EndsWith(".bicepparam", StringComparison.Ordinal))
            .Select(file => Path.GetRelativePath(Templates, file))
            .Order(StringComparer.Ordinal);

    /// <summary>Runs the compiler in a folder and returns what it printed; a failure is not an exception.</summary>
    public static async Task<Printed> RunAsync(
        string folder, IReadOnlyDictionary<string, string>? environment, CancellationToken ct,
        params string[] arguments)
    {
        MakeExecutable();
        var start = new ProcessStartInfo(Program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;

        using var process = Process.Start(start) ?? throw new Win32Exception($"{Program} did not start");
        var output = process.StandardOutput.ReadToEndAsync(ct);
        var complaints = process.StandardError.ReadToEndAsync(ct);
        await process.WaitForExitAsync(ct);
        return new Printed(process.ExitCode, await output, await complaints);
    }

    // Packages carry no permission bits.
    private static void MakeExecutable()
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(Program, File.GetUnixFileMode(Program) | UnixFileMode.UserExecute);
    }

    private static string Metadata(string key) =>
        typeof(BicepCompiler).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(attribute => attribute.Key == key).Value!;

    /// <summary>What a run left behind.</summary>
    internal sealed record Printed(int ExitCode, string Output, string Complaints);
}
