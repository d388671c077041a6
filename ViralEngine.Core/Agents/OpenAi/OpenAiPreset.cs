namespace ViralEngine.Core.Agents.OpenAi;

/// <summary>What differs between providers of the OpenAI chat-completions protocol.</summary>
/// <param name="Name">As the <c>provider</c> setting spells it.</param>
/// <param name="BaseUrl">The provider's URL; null if every installation has its own.</param>
/// <param name="KeyHeader">The header that carries the key; null is <c>Authorization: Bearer</c>.</param>
/// <param name="SendsOldMaxTokens">Supports only <c>max_tokens</c>, not <c>max_completion_tokens</c>.</param>
/// <param name="SendsStreamOptions">False if the provider reports usage in streams unasked and rejects the
/// option.</param>
public sealed record OpenAiPreset(
    string Name, string? BaseUrl, string? KeyHeader = null, bool SendsOldMaxTokens = false,
    bool SendsStreamOptions = true)
{
    public static readonly OpenAiPreset OpenAi = new("openai", "https://api.openai.com/v1");

    public static readonly IReadOnlyDictionary<string, OpenAiPreset> All = new[]
    {
        OpenAi,
        // https://RESOURCE.openai.azure.com/openai/v1, or …/openai/deployments/NAME together with api_version.
        new("azure_openai", null, KeyHeader: "api-key"),
        new("groq", "https://api.groq.com/openai/v1"),
        new("perplexity", "https://api.perplexity.ai", SendsOldMaxTokens: true),
        new("ollama", "http://localhost:11434/v1", SendsOldMaxTokens: true),
        new("vllm", null, SendsOldMaxTokens: true),
        new("llama_cpp", "http://localhost:8080/v1", SendsOldMaxTokens: true),
        new("lm_studio", "http://localhost:1234/v1", SendsOldMaxTokens: true),
        new("deepseek", "https://api.deepseek.com/v1", SendsOldMaxTokens: true),
        new("mistral", "https://api.mistral.ai/v1", SendsOldMaxTokens: true, SendsStreamOptions: false),
        new("openrouter", "https://openrouter.ai/api/v1", SendsOldMaxTokens: true),
        new("together", "https://api.together.xyz/v1", SendsOldMaxTokens: true),
    }.ToDictionary(p => p.Name);
}
