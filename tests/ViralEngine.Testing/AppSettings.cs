using Npgsql;

namespace ViralEngine.Testing;

/// <summary>
/// The settings of an instance under test. Those in <paramref name="Extra"/> are named as in configuration
/// (<c>Section:Name</c>) and win; null takes a setting away.
/// </summary>
public sealed record AppSettings(string Postgres, string? Redis, IReadOnlyDictionary<string, string?> Extra)
{
    /// <summary>What creates organizations at every instance under test.</summary>
    public const string PlatformKey = "platform-key-of-the-tests-000000000000";

    /// <summary>What signs development tokens for every instance under test.</summary>
    public const string JwtSharedKey = "jwt-shared-key-of-the-tests-00000000000000";

    private const string EncryptionKey = "tests:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    public AppSettings(TestPostgres postgres)
        : this(Connection(postgres), TestServers.Redis, TestServers.PgBouncerPort is null ? [] : WithoutSessions)
    {
    }

    /// <summary>Errors (regular expressions) that the test makes the app log; any other fails it.</summary>
    public IReadOnlyList<string> ExpectedErrors { get; init; } = [];

    public AppSettings Expecting(string error) => this with { ExpectedErrors = [.. ExpectedErrors, error] };

    /// <summary>Whose build is started: another version's, to compare with; null for this one's.</summary>
    public string? Checkout { get; init; }

    /// <summary>The same for a connection by way of a pooler in transaction mode.</summary>
    public AppSettings BehindPgBouncer() =>
        WithoutSessions.Aggregate(this, (settings, setting) => settings.With(setting.Key, setting.Value));

    /// <summary>The same with one setting more.</summary>
    public AppSettings With(string name, string? value) =>
        this with { Extra = new Dictionary<string, string?>(Extra) { [name] = value } };

    // A pooler in transaction mode knows neither statements prepared before nor sessions that listen.
    private static string Connection(TestPostgres postgres) => TestServers.PgBouncerPort is { } port
        ? new NpgsqlConnectionStringBuilder(
            postgres.AppConnection)
        { Port = port, MaxAutoPrepare = 0, MaxPoolSize = 20 }.ConnectionString
        : postgres.AppConnection + ";Max Auto Prepare=100;Maximum Pool Size=20";

    private static Dictionary<string, string?> WithoutSessions => new()
    {
        ["LocalHost:Durable:Listen"] = "false",
        ["LocalHost:Durable:Prepare"] = "false",
        ["LocalHost:Durable:PollMilliseconds"] = "50",
    };

    // A version from before the local host started by itself.
    private string? Host() => Checkout is null || Directory.Exists(Path.Combine(Checkout, "ViralEngine.LocalHost"))
        ? Repository.Program("ViralEngine.LocalHost", checkout: Checkout)
        : null;

    internal Dictionary<string, string?> ToEnvironment(Uri address)
    {
        var environment = new Dictionary<string, string?>
        {
            ["DOTNET_STARTUP_HOOKS"] = Host(),
            ["ASPNETCORE_URLS"] = address.GetLeftPart(UriPartial.Authority),
            ["ConnectionStrings__Postgres"] = Postgres,
            ["ConnectionStrings__Redis"] = Redis,
            // Most of these processes live for seconds: compiling better what has just begun is of no use to them.
            // Numbers are hexadecimal: after a thousand calls, and 100 ms without new ones.
            ["DOTNET_TieredPGO"] = "0",
            ["DOTNET_TC_CallCountThreshold"] = "3E8",
            ["DOTNET_TC_CallCountingDelayMs"] = "64",
            ["SweepSchedule"] = "*/5 * * * * *",
            ["Auth__PlatformKey"] = PlatformKey,
            ["Auth__JwtSharedKey"] = JwtSharedKey,
            ["Secrets__Keys__0"] = EncryptionKey,
            // Tests hurry; those of a limit set it.
            ["Limits__Plans__Free__RequestsPerSecond"] = "0",
            ["Limits__Plans__Free__ConcurrentTasks"] = "0",
            ["Limits__Plans__Free__TasksPerMonth"] = "0",
            ["Limits__Plans__Free__Members"] = "0",
            ["Outgoing__AllowedNetworks__0"] = "127.0.0.0/8",
            ["Outgoing__AllowedNetworks__1"] = "::1/128",
        };
        foreach (var (name, value) in Extra)
            environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        return environment;
    }
}
