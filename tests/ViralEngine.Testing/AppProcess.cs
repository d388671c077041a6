using System.Net;

namespace ViralEngine.Testing;

/// <summary>
/// One instance of the app as a real process on a port of its own, which it keeps when it is started again.
/// </summary>
public sealed class AppProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartBound = TimeSpan.FromSeconds(120);

    private readonly HttpClient http;
    private readonly AppLog log;
    private ChildProcess? process;

    private AppProcess(AppSettings settings)
    {
        Settings = settings;
        log = new AppLog(settings.ExpectedErrors);
        Port = FreePort.Take();
        Address = new Uri($"http://127.0.0.1:{Port}");
        http = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(5) };
    }

    /// <summary>What it is told at its next start.</summary>
    public AppSettings Settings { get; set; }

    public int Port { get; }

    public Uri Address { get; }

    /// <summary>The end of its log, of its last start.</summary>
    public string Output => process?.Output ?? "(not running)";

    /// <summary>What it logged as errors that nobody expects, in all its starts.</summary>
    public IReadOnlyList<string> Faults => log.Faults();

    public bool IsRunning => process is { HasExited: false };

    public int ProcessId => process?.Id ?? throw new InvalidOperationException("The app is not running.");

    /// <summary>Starts an instance and waits until it says that it is ready.</summary>
    public static async Task<AppProcess> StartAsync(AppSettings settings)
    {
        var app = new AppProcess(settings);
        try
        {
            await app.RestartAsync();
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }

        return app;
    }

    /// <summary>An instance that is not started yet.</summary>
    public static AppProcess Create(AppSettings settings) => new(settings);

    public static Task<AppProcess> StartAsync(TestPostgres postgres) => StartAsync(new AppSettings(postgres));

    /// <summary>A client with the given key (or token) as its credential, or none. Dispose it.</summary>
    public ApiClient NewClient(string? credential = null) => new(Address, credential, () => Output);

    /// <summary>Starts it, again where it ran before, and waits until it is ready.</summary>
    public async Task RestartAsync()
    {
        StartWithoutWaiting();
        await WaitUntilReadyAsync();
    }

    public void StartWithoutWaiting()
    {
        if (IsRunning)
            throw new InvalidOperationException("The app is running already.");
        process = ChildProcess.Start(
            Repository.Program("ViralEngine.Functions", checkout: Settings.Checkout), [],
            Settings.ToEnvironment(Address), onLine: log.Add);
    }

    public Task WaitUntilReadyAsync() =>
        Eventually.TrueAsync(IsReadyAsync, $"the app on port {Port} to be ready", StartBound);

    /// <summary>SIGKILL, in the middle of whatever it does.</summary>
    public Task KillAsync() => Running().KillAsync();

    /// <summary>SIGTERM, as an orderly shutdown sends it.</summary>
    /// <returns>The exit code.</returns>
    public Task<int> TerminateAsync() => Running().TerminateAsync();

    /// <summary>SIGSTOP, until <see cref="Thaw"/>: as a machine that is suspended.</summary>
    public void Freeze() => Running().Freeze();

    public void Thaw() => Running().Thaw();

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        if (process is { } running)
            await running.DisposeAsync();
        if (Faults is [var first, ..] faults)
            throw new ApiExpectationException(
                $"The app logged {faults.Count} errors that no test expects. The first:\n{first}");
    }

    private ChildProcess Running() => process ?? throw new InvalidOperationException("The app was never started.");

    private async Task<bool> IsReadyAsync()
    {
        if (!IsRunning)
            throw new InvalidOperationException(
                $"The app ended (exit code {process!.ExitCode}). Its log ends:\n{Output}");
        try
        {
            using var answer = await http.GetAsync("/api/health/ready");
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
        catch (TaskCanceledException)
        {
            return false;
        }
    }
}
