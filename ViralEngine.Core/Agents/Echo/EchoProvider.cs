using System.Runtime.CompilerServices;

namespace ViralEngine.Core.Agents.Echo;

/// <summary>
/// Returns the description word by word: a deterministic answer, for examples and tests that must be slow or fail on
/// purpose. A word counts as a token.
/// </summary>
public sealed class EchoProvider(TimeProvider time) : IAgentProvider
{
    public async IAsyncEnumerable<AgentChunk> RunAsync(AgentCall call, [EnumeratorCancellation] CancellationToken ct)
    {
        var settings = (EchoSettings)call.Agent.Settings;
        var failure = FailureOf(settings, call.Attempt);
        var (pieces, words) = Cut(call.Description, settings.ChunkSize);
        var total = pieces.Count * settings.Repeat;

        for (var i = 0; i < total; i++)
        {
            ct.ThrowIfCancellationRequested();
            if (failure is not null && i == settings.FailAfterChunks)
                throw failure;
            if (settings.DelayMsPerChunk > 0)
                await Task.Delay(TimeSpan.FromMilliseconds(settings.DelayMsPerChunk), time, ct);

            var piece = pieces[i % pieces.Count];
            var endsRound = (i + 1) % pieces.Count == 0 && i + 1 < total;
            yield return new AgentChunk.Text(endsRound ? piece + " " : piece);
            if (settings.Progress)
                yield return new AgentChunk.Progress((i + 1.0) / total, $"{i + 1} of {total}");
        }

        if (failure is not null)
            throw failure;
        yield return new AgentChunk.Usage(words, (long)words * settings.Repeat, "echo");
    }

    private static AgentException? FailureOf(EchoSettings settings, int attempt) =>
        settings.FailWith is { } errorClass && attempt <= (settings.FailFirstAttempts ?? int.MaxValue)
            ? new AgentException(
                errorClass,
                $"echo failed with {errorClass.ToApiName()}, as configured.",
                settings.RetryAfterSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null)
            : null;

    // Each word includes the white space after it, so that the pieces add up to the text.
    private static (List<string> Pieces, int Words) Cut(string text, int wordsPerPiece)
    {
        var pieces = new List<string>();
        var (start, words) = (0, 0);
        for (var i = 0; i < text.Length; i++)
        {
            var wordEnds = !char.IsWhiteSpace(text[i]) && (i + 1 == text.Length || char.IsWhiteSpace(text[i + 1]));
            if (!wordEnds || ++words % wordsPerPiece != 0)
                continue;

            var end = i + 1;
            while (end < text.Length && char.IsWhiteSpace(text[end]))
                end++;
            pieces.Add(text[start..end]);
            (start, i) = (end, end - 1);
        }

        if (start < text.Length)
            pieces.Add(text[start..]);
        return (pieces, words);
    }
}
