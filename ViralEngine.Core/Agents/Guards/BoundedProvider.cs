using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Texts;

namespace ViralEngine.Core.Agents.Guards;

/// <summary>
/// Wraps every provider: limits time and size, turns failures into <see cref="AgentException"/>, and makes text and
/// usage fit to be stored.
/// </summary>
internal sealed class BoundedProvider(IAgentProvider inner, IOptions<AgentsOptions> options, TimeProvider time)
    : IAgentProvider
{
    public async IAsyncEnumerable<AgentChunk> RunAsync(AgentCall call, [EnumeratorCancellation] CancellationToken ct)
    {
        if (call.Starting is { } startingAsync)
            await startingAsync(ct);
        using var clock = new AnswerClock(call, options.Value, time);
        await using var registration = ct.UnsafeRegister(static c => ((AnswerClock)c!).Stop(), clock);
        await using var chunks = inner.RunAsync(call with { Heard = clock.Heard }, clock.Token)
            .GetAsyncEnumerator(clock.Token);

        var text = new TextFilter(options.Value.MaxAnswerBytes, call);
        while (await MoveNextAsync(chunks, call, clock, ct))
        {
            // The silence limit applies to the provider, not to the consumer of the chunk.
            clock.Pause();
            if (Pass(chunks.Current, text) is { } passed)
                yield return passed;
            clock.GoOn(chunks.Current);
        }

        if (text.Rest() is { Length: > 0 } rest)
            yield return new AgentChunk.Text(rest);
    }

    private static AgentChunk? Pass(AgentChunk chunk, TextFilter text) => chunk switch
    {
        AgentChunk.Text(var piece) => text.Pass(piece) is { Length: > 0 } passed ? new AgentChunk.Text(passed) : null,
        AgentChunk.Usage { IsPossible: false } => new AgentChunk.ImpossibleUsage(),
        AgentChunk.Working => null,
        _ => chunk,
    };

    private static async Task<bool> MoveNextAsync(
        IAsyncEnumerator<AgentChunk> chunks, AgentCall call, AnswerClock clock, CancellationToken ct)
    {
        try
        {
            return await chunks.MoveNextAsync();
        }
        catch (Exception) when (ct.IsCancellationRequested)
        {
            // Cancelling closes the connection, which may surface as any kind of failure.
            throw new OperationCanceledException(ct);
        }
        catch (Exception e) when (e is OperationCanceledException || clock.Token.IsCancellationRequested)
        {
            throw new AgentException(
                ErrorClass.Timeout, $"{call.Agent.Settings.Label(call)} {clock.Verdict()}.", inner: e)
            {
                Evidence = clock.Evidence(),
            };
        }
        catch (Exception e) when (ProviderFault.From(e, call) is { } fault)
        {
            throw fault;
        }
    }

    /// <summary>
    /// Counts bytes, replaces what PostgreSQL cannot store, and rejoins characters that were split between chunks.
    /// </summary>
    private sealed class TextFilter(int maxBytes, AgentCall call)
    {
        private string held = "";
        private long bytes;

        public string Pass(string piece)
        {
            var text = held + piece;
            held = "";
            if (text.Length > 0 && char.IsHighSurrogate(text[^1]))
                (text, held) = (text[..^1], text[^1..]);

            bytes += Encoding.UTF8.GetByteCount(text);
            if (bytes > maxBytes)
            {
                throw new AgentException(
                    ErrorClass.TooLarge,
                    $"{call.Agent.Settings.Label(call)} sent an answer larger than {maxBytes} bytes.")
                {
                    Evidence = HostEvidence.Alive,
                };
            }

            return OutsideText.Of(text);
        }

        public string Rest() => OutsideText.Of(held);
    }
}
