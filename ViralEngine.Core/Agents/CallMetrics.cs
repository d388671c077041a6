using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace ViralEngine.Core.Agents;

/// <summary>
/// Measures one call after OpenTelemetry's semantic conventions for generative AI: its duration, the time to the first
/// token, and its tokens.
/// </summary>
internal sealed class CallMetrics(AgentDefinition agent, TimeProvider time) : IDisposable
{
    private static readonly Meter Meter = new(AgentRunner.Source.Name);

    private static readonly Histogram<double> Duration = Meter.CreateHistogram(
        "gen_ai.client.operation.duration", "s", "GenAI operation duration.", advice: Buckets(
            0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92));

    private static readonly Histogram<double> FirstToken = Meter.CreateHistogram(
        "gen_ai.server.time_to_first_token", "s", "Time to generate the first token.", advice: Buckets(
            0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10));

    private static readonly Histogram<double> Tokens = Meter.CreateHistogram(
        "gen_ai.client.token.usage", "{token}", "Number of input and output tokens used.", advice: Buckets(
            1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864));

    private readonly long started = time.GetTimestamp();
    private string? error;
    private bool made = true;

    /// <summary>The time from the call to the first piece of the answer; null if there is none yet.</summary>
    public TimeSpan? TimeToFirstToken { get; private set; }

    public void Answering()
    {
        if (TimeToFirstToken is not null)
            return;
        TimeToFirstToken = time.GetElapsedTime(started);
        FirstToken.Record(TimeToFirstToken.Value.TotalSeconds, Tags());
    }

    public void Used(long inputTokens, long outputTokens)
    {
        Tokens.Record(inputTokens, Tags(new KeyValuePair<string, object?>("gen_ai.token.type", "input")));
        Tokens.Record(outputTokens, Tags(new KeyValuePair<string, object?>("gen_ai.token.type", "output")));
    }

    public void Failed(ErrorClass errorClass) => error = errorClass.ToApiName();

    /// <summary>The call was not made: nothing is measured.</summary>
    public void NotMade() => made = false;

    public void Dispose()
    {
        if (made)
        {
            Duration.Record(
                time.GetElapsedTime(started).TotalSeconds,
                error is null ? Tags() : Tags(new KeyValuePair<string, object?>("error.type", error)));
        }
    }

    private TagList Tags(KeyValuePair<string, object?>? more = null)
    {
        var tags = new TagList
        {
            { "gen_ai.operation.name", "chat" },
            { "gen_ai.provider.name", agent.Kind.ToText() },
        };
        if (agent.Settings.RequestedModel is { } model)
            tags.Add("gen_ai.request.model", model);
        if (more is { } tag)
            tags.Add(tag);
        return tags;
    }

    private static InstrumentAdvice<double> Buckets(params double[] bounds) =>
        new() { HistogramBucketBoundaries = bounds };
}
