using ViralEngine.Core.Fields;
using ViralEngine.Core.Outgoing;

namespace ViralEngine.Core.Agents.OpenAi;

/// <summary>The model, its provider and its parameters.</summary>
public sealed record OpenAiSettings : AgentSettings
{
    internal static readonly AgentKindParts Parts = new(
        "openai", "A model (OpenAI protocol)", Read, AgentJson.Default.OpenAiSettings,
        services => new OpenAiProvider(services.Outgoing, services.Memory, services.Options, services.Time));

    /// <summary>A name in <see cref="OpenAiPreset.All"/>.</summary>
    public string Provider { get; init; } = OpenAiPreset.OpenAi.Name;

    /// <summary>The URL that <c>/chat/completions</c> is appended to.</summary>
    public required string BaseUrl { get; init; }

    /// <summary>The model; on Azure, the deployment.</summary>
    public required string Model { get; init; }

    /// <summary>For Azure's dated API; its <c>/openai/v1</c> needs none.</summary>
    public string? ApiVersion { get; init; }

    public string? SystemPrompt { get; init; }

    /// <summary>0 to 2; the model's own by default.</summary>
    public decimal? Temperature { get; init; }

    public int? MaxOutputTokens { get; init; }

    public override string? FindOrigin() => new Uri(BaseUrl).GetLeftPart(UriPartial.Authority);

    internal OpenAiPreset Preset => OpenAiPreset.All[Provider];

    internal override AgentKind Kind => AgentKind.OpenAi;

    internal override string Label(AgentCall call) => $"{Provider} ({new Uri(BaseUrl).Host})";

    internal override string? HostFor(AgentCall call) => new Uri(BaseUrl).Authority;

    internal override string? RequestedModel => Model;

    internal override string? Instructions => SystemPrompt;

    internal override long? MaxOutputFor(long inputTokens) => MaxOutputTokens;

    internal override bool IsFreeWithoutPrice => false;

    internal static OpenAiSettings Read(FieldReader settings, SettingsRules rules)
    {
        var preset = settings.Choice("provider", PresetPositions) is { } position
            ? OpenAiPreset.All.Values.ElementAt(position)
            : OpenAiPreset.OpenAi;
        var baseUrl = settings.Text("base_url", UrlPolicy.MaxLength) ?? preset.BaseUrl;
        if (baseUrl is null)
            settings.Fail("base_url", $"Is required for provider {preset.Name}.");
        else if (rules.Urls.Check(baseUrl) is { } fault)
            settings.Fail("base_url", fault);
        else if (baseUrl.Contains('?') || baseUrl.Contains('#'))
            settings.Fail("base_url", "Must not have a query or fragment. Use the setting api_version for Azure's.");

        var model = settings.Text("model", 200);
        settings.Require("model", model);
        if (model is { Length: 0 })
            settings.Fail("model", "Must not be empty.");

        var version = settings.Text("api_version", 40);
        if (version?.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.') == false)
            settings.Fail("api_version", "Must be a version such as 2024-10-21.");

        return new OpenAiSettings
        {
            Provider = preset.Name,
            BaseUrl = baseUrl ?? "",
            Model = model ?? "",
            ApiVersion = version,
            SystemPrompt = settings.Text("system_prompt", 100_000),
            Temperature = settings.Number("temperature", 0, 2),
            MaxOutputTokens = settings.Integer("max_output_tokens", 1, 1_000_000),
        };
    }

    private static readonly Dictionary<string, int> PresetPositions =
        OpenAiPreset.All.Keys.Select((name, i) => (name, i)).ToDictionary(p => p.name, p => p.i);
}
