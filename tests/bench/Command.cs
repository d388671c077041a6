using System.ComponentModel;
using System.Diagnostics;

namespace ViralEngine.Bench;

/// <summary>Runs a program to its end.</summary>
internal static class Command
{
    /// <returns>What it printed.</returns>
    /// <exception cref="CommandException">It is missing or failed.</exception>
    public static async Task<string> RunAsync(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var start =
            new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        try
        {
            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync();
            if (process.ExitCode != 0)
                throw new CommandException(
                    $"{program} failed ({process.ExitCode}): "
                    + $"{(await errors)[..Math.Min(2000, (await errors).Length)]}");
            return await output;
        }
        catch (Win32Exception)
        {
            throw new CommandException(
                $"{program} is not installed. On Debian and Ubuntu: apt-get install wrk postgresql");
        }
    }
}

/// <summary>
/// A program that a measurement needs is not there or does not do its work; told without a stack trace.
/// </summary>
internal sealed class CommandException(string message) : Exception(message);
