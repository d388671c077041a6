namespace ViralEngine.Core.Agents;

/// <summary>Why an answer ended. Providers' synonyms are mapped to one word; other words are kept.</summary>
internal static class FinishReasons
{
    /// <summary>The model finished.</summary>
    public const string Stop = "stop";

    /// <summary>The model reached a token limit: the answer is incomplete.</summary>
    public const string Length = "length";

    /// <summary>The model declined; the text is its refusal.</summary>
    public const string Refusal = "refusal";

    /// <summary>A filter stopped the answer.</summary>
    public const string ContentFilter = "content_filter";

    /// <summary>The provider failed in the middle of the answer.</summary>
    public const string Error = "error";

    private const int MaxLength = 40;

    /// <summary>Null for no reason, such as the empty text that some providers send until the end.</summary>
    public static string? From(string? said)
    {
        var word = said?.Trim().ToLowerInvariant().Replace('-', '_').Replace(' ', '_');
        return word switch
        {
            null or "" or "null" or "none" => null,
            "stop" or "eos" or "eos_token" or "end" or "end_turn" or "stop_sequence" or "complete" or "completed"
                or "done" => Stop,
            "length" or "max_tokens" or "max_output_tokens" or "max_length" or "model_length" or "token_limit" =>
                Length,
            "content_filter" or "content_filtered" or "safety" or "recitation" or "blocklist" or "prohibited_content" =>
                ContentFilter,
            "error" or "abort" or "aborted" or "cancelled" or "insufficient_system_resource" or "network_error" =>
                Error,
            "tool_calls" or "tool_use" or "function_call" => "tool_calls",
            _ => Known(word),
        };
    }

    private static string? Known(string word)
    {
        var kept = new string([.. word.Where(c => char.IsAsciiLetterOrDigit(c) || c == '_').Take(MaxLength)]);
        return kept.Length > 0 ? kept : null;
    }
}
