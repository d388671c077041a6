using ViralEngine.Core.Fields;

namespace ViralEngine.Core.Agents.Echo;

/// <summary>How slowly <see cref="EchoProvider"/> answers, and how it fails.</summary>
public sealed record EchoSettings : AgentSettings
{
    internal static readonly AgentKindParts Parts = new(
        "echo", "Echo (returns its input)", (reader, _) => Read(reader), AgentJson.Default.EchoSettings,
        services => new EchoProvider(services.Time));

    public static readonly EchoSettings Plain = new();

    private static readonly Dictionary<string, ErrorClass> Failures =
        Enum.GetValues<ErrorClass>().ToDictionary(c => c.ToApiName());

    /// <summary>Milliseconds before each piece. 0 to 60000.</summary>
    public int DelayMsPerChunk { get; init; }

    /// <summary>Words per piece. 1 to 10000.</summary>
    public int ChunkSize { get; init; } = 1;

    /// <summary>How many times the description is returned. 1 to 100000.</summary>
    public int Repeat { get; init; } = 1;

    /// <summary>Reports progress after each piece.</summary>
    public bool Progress { get; init; }

    /// <summary>Fails with this class of error.</summary>
    public ErrorClass? FailWith { get; init; }

    /// <summary>How many attempts fail; all by default. 1 to 1000.</summary>
    public int? FailFirstAttempts { get; init; }

    /// <summary>How many pieces are sent before the failure.</summary>
    public int FailAfterChunks { get; init; }

    /// <summary>The Retry-After sent with the failure. 0 to 3600.</summary>
    public int? RetryAfterSeconds { get; init; }

    public override string? FindOrigin() => null;

    internal override AgentKind Kind => AgentKind.Echo;

    internal override string Label(AgentCall call) => "echo";

    internal override string? HostFor(AgentCall call) => null;

    internal override string? RequestedModel => null;

    internal override string? Instructions => null;

    internal override long? MaxOutputFor(long inputTokens) => inputTokens * Math.Max(1, Repeat);

    internal override bool IsFreeWithoutPrice => true;

    internal static EchoSettings Read(FieldReader settings)
    {
        var read = new EchoSettings
        {
            DelayMsPerChunk = settings.Integer("delay_ms_per_chunk", 0, 60_000) ?? 0,
            ChunkSize = settings.Integer("chunk_size", 1, 10_000) ?? 1,
            Repeat = settings.Integer("repeat", 1, 100_000) ?? 1,
            Progress = settings.Flag("progress"),
            FailWith = settings.Choice("fail_with", Failures),
            FailFirstAttempts = settings.Integer("fail_first_attempts", 1, 1000),
            FailAfterChunks = settings.Integer("fail_after_chunks", 0, 100_000) ?? 0,
            RetryAfterSeconds = settings.Integer("retry_after_seconds", 0, 3600),
        };

        // Setting how many attempts fail implies a failure.
        return read is { FailFirstAttempts: not null, FailWith: null }
            ? read with { FailWith = ErrorClass.Unavailable }
            : read;
    }
}
