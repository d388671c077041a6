using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.Options;

namespace ViralEngine.Core.Agents;

/// <summary>
/// What every provider's answer goes through: it caps time and size, turns failures into <see cref="AgentException"/>, and
/// makes the text fit to be stored.
/// </summary>
internal sealed class BoundedProvider(IAgentProvider inner, IOptions<AgentsOptions> options, TimeProvider time)
    : IAgentProvider
{
    public async IAsyncEnumerable<AgentChunk> RunAsync(AgentCall call, [EnumeratorCancellation] CancellationToken ct)
    {
        var limit = Shorter(call.Timeout, call.Agent.Settings.TimeoutSeconds);
        var idle = TimeSpan.FromSeconds(call.Agent.Settings.IdleTimeoutSeconds ?? options.Value.IdleTimeoutSeconds);
        var started = time.GetTimestamp();
        using var clock = new CancellationTokenSource(limit, time);
        await using var registration = ct.UnsafeRegister(static c => ((CancellationTokenSource)c!).Cancel(), clock);
        await using var chunks = inner.RunAsync(call, clock.Token).GetAsyncEnumerator(clock.Token);

        var text = new TextFilter(options.Value.MaxAnswerBytes, call);
        while (await MoveNextAsync(chunks, call, clock.Token, ct))
        {
            // The silence limit is for the provider, not for whoever takes the chunk.
            clock.CancelAfter(Remaining());
            if (chunks.Current is not AgentChunk.Text piece)
                yield return chunks.Current;
            else if (text.Pass(piece.Value) is { Length: > 0 } passed)
                yield return new AgentChunk.Text(passed);
            clock.CancelAfter(idle < Remaining() ? idle : Remaining());
        }

        if (text.Rest() is { Length: > 0 } rest)
            yield return new AgentChunk.Text(rest);

        TimeSpan Remaining() => limit - time.GetElapsedTime(started) is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private async Task<bool> MoveNextAsync(
        IAsyncEnumerator<AgentChunk> chunks, AgentCall call, CancellationToken clock, CancellationToken ct)
    {
        try
        {
            return await chunks.MoveNextAsync();
        }
        catch (Exception) when (ct.IsCancellationRequested)
        {
            // Cancelling breaks the connection, which may surface as any failure of it.
            throw new OperationCanceledException(ct);
        }
        catch (Exception e) when (e is OperationCanceledException || clock.IsCancellationRequested)
        {
            var label = call.Agent.Settings.Label(call);
            throw new AgentException(ErrorClass.Timeout, $"{label} did not answer in time.", inner: e);
        }
        catch (Exception e) when (ProviderFault.From(e, call, time.GetUtcNow()) is { } fault)
        {
            throw fault;
        }
    }

    private static TimeSpan Shorter(TimeSpan timeout, int? seconds) =>
        seconds is { } s && TimeSpan.FromSeconds(s) < timeout ? TimeSpan.FromSeconds(s) : timeout;

    /// <summary>Counts bytes, replaces what PostgreSQL cannot store, and keeps a character cut in two together.</summary>
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
                    $"{call.Agent.Settings.Label(call)} sent a larger answer than the {maxBytes} bytes that are allowed.");
            }

            return Storable(text);
        }

        public string Rest() => Storable(held);

        private static string Storable(string text)
        {
            text = text.Replace('\0', '\uFFFD');
            return text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0
                ? text
                : Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
        }
    }
}
