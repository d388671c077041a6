using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using ViralEngine.LocalHost.Tests.Hosting;
using ViralEngine.Testing;

namespace ViralEngine.LocalHost.Tests.Contract;

/// <summary>The sample app, on the real worker packages, as a process under the local host.</summary>
internal sealed class SampleApp : IAsyncDisposable
{
    public const string MasterKey = "open sesame";

    private static readonly TimeSpan StartBound = TimeSpan.FromSeconds(120);

    private readonly Dictionary<string, string?> environment;
    private readonly string folder;
    private ChildProcess process;

    private SampleApp(Dictionary<string, string?> environment, string folder, Uri address)
    {
        this.environment = environment;
        this.folder = folder;
        Client = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromSeconds(60) };
        process = Launch();
    }

    /// <summary>Where the app's program was built.</summary>
    public static string Folder { get; } = Path.GetDirectoryName(
        Repository.Program("tests/ViralEngine.LocalHost.Tests/Sample", "ViralEngine.LocalHost.Sample"))!;

    public HttpClient Client { get; }

    public string Output => process.Output;

    public bool HasExited => process.HasExited;

    public int ExitCode => process.ExitCode;

    /// <summary>Starts the app, and waits until it answers.</summary>
    public static async Task<SampleApp> StartAsync(
        ScratchDatabase database, params (string Name, string? Value)[] settings)
    {
        var app = Create(database, Folder, settings);
        await app.UntilReadyAsync();
        return app;
    }

    /// <summary>Starts the app from a folder, and does not wait.</summary>
    public static SampleApp Create(
        ScratchDatabase database, string folder, params (string Name, string? Value)[] settings)
    {
        var port = FreePort.Take();
        var environment = new Dictionary<string, string?>
        {
            ["DOTNET_STARTUP_HOOKS"] = Repository.Program("ViralEngine.LocalHost"),
            ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{port}",
            ["ConnectionStrings__Postgres"] = database.ConnectionString,
            ["LocalHost__MasterKey"] = MasterKey,
            ["Sample__Tick"] = "* * * * * *",
        };
        foreach (var (name, value) in settings) environment[name] = value;
        if (environment.GetValueOrDefault("port") is { } given) port = int.Parse(given, CultureInfo.InvariantCulture);
        return new(environment, folder, new($"http://127.0.0.1:{port}/"));
    }

    public async Task UntilReadyAsync() => await Eventually.TrueAsync(
        async () =>
        {
            if (process.HasExited)
            {
                throw new InvalidOperationException(
                    $"The sample ended (exit code {process.ExitCode}). Its log ends:\n{Output}");
            }

            try
            {
                using var answer = await Client.GetAsync("api/hello");
                return answer.StatusCode == HttpStatusCode.OK;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        },
        "the sample to answer",
        StartBound);

    /// <summary>Starts it again where it ran before.</summary>
    public async Task RestartAsync()
    {
        process = Launch();
        await UntilReadyAsync();
    }

    /// <summary>SIGKILL.</summary>
    public Task KillAsync() => process.KillAsync();

    /// <summary>SIGTERM.</summary>
    /// <returns>The exit code.</returns>
    public Task<int> TerminateAsync() => process.TerminateAsync();

    /// <summary>Waits until the app ends by itself.</summary>
    public Task ExitedAsync() => Eventually.TrueAsync(() => process.HasExited, "the sample to end", StartBound);

    public async Task<string[]> NotesAsync() => (await Client.GetFromJsonAsync<string[]>("api/notes"))!;

    public Task NotedAsync(string note) => Eventually.GetAsync(
        NotesAsync, notes => notes.Contains(note), $"the note '{note}'");

    /// <summary>How often a text stands in the app's log.</summary>
    public int Logged(string text) => Output.Split(text).Length - 1;

    public Task LoggedAsync(string text) =>
        Eventually.TrueAsync(() => Logged(text) > 0, $"'{text}' in the log of the app");

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await process.DisposeAsync();
    }

    private ChildProcess Launch() =>
        ChildProcess.Start(Path.Combine(folder, "ViralEngine.LocalHost.Sample.dll"), [], environment);
}
