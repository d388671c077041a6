using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Fields;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Agents;

internal sealed record SaveAgentRequest
{
    [Required, StringLength(100, MinimumLength = 1)]
    [Description("Unique in the organization.")]
    public string Name { get; init; } = "";

    [StringLength(2000)]
    public string? Description { get; init; }

    [Required, AgentKindName]
    [Description("The kind of provider. Each has settings of its own.")]
    public string Kind { get; init; } = "";

    [JsonObject(64 * 1024)]
    [Description("The settings for this kind of agent.")]
    public JsonElement? Settings { get; init; }

    [StringLength(4096, MinimumLength = 1)]
    [RegularExpression("[!-~]+", ErrorMessage = "Must be printable ASCII without spaces.")]
    [Description(
        "The provider's API key, stored encrypted and never shown. "
        + "Omit it to keep the stored key, send null to remove it.")]
    public string? ApiKey { get; init; }

    [MaxLength(AgentDraft.MaxFallbacks, ErrorMessage = "Must have at most 5 agents.")]
    [Description("Your agents to try, in this order, when this one fails.")]
    public Guid[] FallbackAgentIds { get; init; } = [];

    /// <summary>Checks the rules that attributes cannot express.</summary>
    /// <exception cref="ProblemException">400 with all errors.</exception>
    public AgentDraft ToDraft(SettingsRules rules, bool keepsApiKey)
    {
        var errors = new FieldErrors();
        if (Name.Trim() != Name || Name.Length == 0)
            errors.Add("name", "Must not begin or end with white space.");
        if (BuiltInAgents.Find(Name) is not null)
            errors.Add("name", "Must not be the name of a built-in agent.");
        if (Kind == "echo" && ApiKey is not null)
            errors.Add("api_key", "Echo agents take no API key.");
        if (FallbackAgentIds.Distinct().Count() < FallbackAgentIds.Length)
            errors.Add("fallback_agent_ids", "Must not contain an agent twice.");

        var kind = AgentKinds.ByName[Kind];
        var settings = AgentSettings.Read(kind, Settings ?? JsonElement.Parse("{}"), rules, errors);
        errors.ThrowIfAny();
        return new AgentDraft(Name, Description, kind, settings!, ApiKey, keepsApiKey, FallbackAgentIds);
    }
}

internal sealed record AgentListQuery : PageQuery
{
    [AgentKindName]
    public string? Kind { get; init; }

    [StringLength(100)]
    public string? Name { get; init; }
}

internal sealed record TestAgentRequest
{
    [StringLength(10_000, MinimumLength = 1)]
    [Description("The prompt for the agent.")]
    public string Description { get; init; } = "Reply with one short sentence.";

    public JsonElement? Input { get; init; }
}

internal sealed record AgentPage(IReadOnlyList<AgentResource> Agents, string? NextCursor);

/// <param name="Output">The first 65,536 characters of the answer.</param>
/// <param name="Truncated">Whether the answer was longer.</param>
/// <param name="FinishReason">Why the answer ended, if the provider says so.</param>
internal sealed record AgentTestResult(
    string Output, bool Truncated, long LatencyMs, AgentTestUsage? Usage, string? FinishReason);

/// <param name="CostUsd">Null if no price is known.</param>
internal sealed record AgentTestUsage(string? Model, long InputTokens, long OutputTokens, decimal? CostUsd);
