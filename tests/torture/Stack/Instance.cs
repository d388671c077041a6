using ViralEngine.Testing;

namespace ViralEngine.Torture.Stack;

/// <summary>One instance of the app, with a network of its own to each server.</summary>
internal sealed class Instance : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly AppSettings usual;
    private string lastSaid = "";

    public Instance(int number, int postgresPort, RedisProcess redis)
    {
        Number = number;
        Postgres = new TcpLink(postgresPort);
        Redis = new TcpLink(redis.Port);
        usual = Settings(Testing.PostgresServer.AppConnection(Postgres.Port), redis.ConnectionBy(Redis.Port));
        App = AppProcess.Create(usual);
    }

    public int Number { get; }

    public string Name => $"instance {Number}";

    public TcpLink Postgres { get; }

    public TcpLink Redis { get; }

    public AppProcess App { get; }

    /// <summary>It was told to run: when it does not, it ended by itself.</summary>
    public bool ShouldRun { get; set; }

    /// <summary>How much its clock is off, from its next start on; null: not.</summary>
    public TimeSpan? ClockShift
    {
        set => App.Settings = value is { } shift
            ? usual.With("LD_PRELOAD", FakeTime.Library).With(
                "FAKETIME", $"{(shift < TimeSpan.Zero ? '-' : '+')}{(int)shift.Duration().TotalSeconds}s")
                .With("FAKETIME_DONT_FAKE_MONOTONIC", "1").With("DONT_FAKE_MONOTONIC", "1")
                    .With("FAKETIME_NO_CACHE", "1")
            : usual;
    }

    public async Task StartAsync()
    {
        App.StartWithoutWaiting();
        ShouldRun = true;
        await WaitUntilReadyAsync();
    }

    /// <summary>As long as it takes while other faults are on. What never becomes ready is noted.</summary>
    public async Task WaitUntilReadyAsync()
    {
        try
        {
            await Eventually.TrueAsync(IsReadyAsync, $"{Name} to be ready", Patience);
        }
        catch (TimeoutException)
        {
            NeverReady.Add($"{Name} was not ready within {Patience.TotalMinutes} minutes: {lastSaid}\n{App.Output}");
        }
    }

    /// <summary>Starts after which it did not become ready.</summary>
    public List<string> NeverReady { get; } = [];

    public async Task KillAsync()
    {
        ShouldRun = false;
        await App.KillAsync();
    }

    /// <summary>SIGTERM.</summary>
    public async Task StopAsync()
    {
        ShouldRun = false;
        await App.TerminateAsync();
    }

    public async ValueTask DisposeAsync()
    {
        ShouldRun = false;
        try
        {
            await App.DisposeAsync();
        }
        catch (ApiExpectationException)
        {
            // What it logged has been reported.
        }

        await Postgres.DisposeAsync();
        await Redis.DisposeAsync();
    }

    private async Task<bool> IsReadyAsync()
    {
        if (!App.IsRunning)
            return true; // who watches it starts it again
        using var http = new HttpClient { BaseAddress = App.Address, Timeout = TimeSpan.FromSeconds(5) };
        try
        {
            using var answer = await http.GetAsync("/api/health/ready");
            lastSaid = await answer.Content.ReadAsStringAsync();
            return answer.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            lastSaid = e.Message;
            return false;
        }
    }

    private static AppSettings Settings(string postgres, string redis)
    {
        var settings = new AppSettings(
                postgres + ";Connection Idle Lifetime=60;Connection Pruning Interval=10;Max Auto Prepare=100", redis,
                new Dictionary<string, string?>())
            .With("Logging:LogLevel:Default", "Warning")
            .With("Logging:Console:FormatterName", "simple")
            .With("Logging:Console:FormatterOptions:TimestampFormat", "HH:mm:ss.fff ")
            .With("Webhooks:TimeoutSeconds", "5");
        for (var i = 0; i < 12; i++)
            settings = settings.With($"Webhooks:RetryDelays:{i}", $"00:00:0{Math.Min(i + 1, 5)}");
        return settings;
    }
}
