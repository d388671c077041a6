using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ViralEngine.Testing;

/// <summary>A program as a real process: its output is kept within bounds, and it ends with the test run.</summary>
public sealed class ChildProcess : IAsyncDisposable
{
    private const int Terminate = 15;
    private const int Continue = 18;
    private const int Stop = 19;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process process;
    private readonly OutputTail output = new();
    private readonly string program;

    private ChildProcess(Process process, string program) => (this.process, this.program) = (process, program);

    public int Id => process.Id;

    public bool HasExited => process.HasExited;

    public int ExitCode => process.ExitCode;

    /// <summary>The end of what it wrote to both of its outputs.</summary>
    public string Output => output.ToString();

    /// <param name="program">The dll, or what <paramref name="host"/> runs.</param>
    /// <param name="onLine">Is given every line of its output.</param>
    /// <param name="environment">Added to this process's own; null removes a variable.</param>
    public static ChildProcess Start(
        string program, IEnumerable<string> args, IReadOnlyDictionary<string, string?> environment,
        string host = "dotnet",
        Action<string?>? onLine = null)
    {
        var start = new ProcessStartInfo(host, [program, .. args])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = Path.GetDirectoryName(program)!,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;

        var child = new ChildProcess(new Process { StartInfo = start }, Path.GetFileName(program));
        child.process.OutputDataReceived += (_, line) => Take(line.Data);
        child.process.ErrorDataReceived += (_, line) => Take(line.Data);
        child.process.Start();
        child.process.BeginOutputReadLine();
        child.process.BeginErrorReadLine();
        child.process.StandardInput.Close();
        AppDomain.CurrentDomain.ProcessExit += child.KillAtExit;
        return child;

        void Take(string? line)
        {
            child.output.Add(line);
            onLine?.Invoke(line);
        }
    }

    /// <summary>SIGKILL: no chance to clean up.</summary>
    public async Task KillAsync()
    {
        process.Kill();
        await WaitAsync();
    }

    /// <summary>SIGTERM: what an orderly shutdown sends.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> TerminateAsync()
    {
        if (!process.HasExited)
            _ = SendSignal(process.Id, Terminate);
        await WaitAsync();
        return process.ExitCode;
    }

    /// <summary>SIGSTOP: it does nothing, and knows nothing of it, until <see cref="Thaw"/>.</summary>
    public void Freeze() => _ = SendSignal(process.Id, Stop);

    /// <summary>SIGCONT.</summary>
    public void Thaw() => _ = SendSignal(process.Id, Continue);

    public async ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= KillAtExit;
        if (!process.HasExited)
            await KillAsync();
        process.Dispose();
    }

    private async Task WaitAsync()
    {
        try
        {
            await process.WaitForExitAsync().WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException(
                $"{program} did not end within {Patience.TotalSeconds} s. Its output ends:\n{Output}");
        }
    }

    private void KillAtExit(object? sender, EventArgs e)
    {
        if (!process.HasExited)
            process.Kill();
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int processId, int signal);
}
