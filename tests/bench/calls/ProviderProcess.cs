using System.Diagnostics;
using System.Reflection;

namespace ViralEngine.Bench;

/// <summary>The provider as a process of its own: what it uses is nobody else's.</summary>
internal sealed class ProviderProcess : IAsyncDisposable
{
    private readonly Process process;

    private ProviderProcess(Process process, Uri url) => (this.process, Url) = (process, url);

    public Uri Url { get; }

    public static async Task<ProviderProcess> StartAsync()
    {
        var process = Process.Start(new ProcessStartInfo(
            "dotnet", [Assembly.GetExecutingAssembly().Location, SlowProvider.Command])
        {
            RedirectStandardOutput = true,
        })!;
        var url = await process.StandardOutput.ReadLineAsync()
            ?? throw new InvalidOperationException("The provider did not start.");
        return new ProviderProcess(process, new Uri(url));
    }

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
