using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using ViralEngine.Core.Agents;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Agents;

internal sealed record SaveAgentRequest
{
    [Required, StringLength(100, MinimumLength = 1)]
    [Description("Unique in the organization.")]
    public string Name { get; init; } = "";

    [StringLength(2000)]
    public string? Description { get; init; }

    [Required, AllowedValues("echo", "http", "openai", ErrorMessage = "Must be one of echo, http, openai.")]
    [Description("Which provider runs it: echo (gives the description back), http (POSTs to your URL), openai (chat completions).")]
    public string Kind { get; init; } = "";

    [JsonObject(64 * 1024)]
    [Description("What the kind of agent can be told.")]
    public JsonElement? Settings { get; init; }

    [StringLength(4096, MinimumLength = 1)]
    [RegularExpression("[!-~]+", ErrorMessage = "Must be printable ASCII without spaces.")]
    [Description("The provider's key: encrypted, and never shown again. Left out it stays as it is, null removes it.")]
    public string? ApiKey { get; init; }

    [MaxLength(AgentDraft.MaxFallbacks, ErrorMessage = "At most 5 agents.")]
    [Description("Your agents that are tried, in this order, when this one fails.")]
    public Guid[] FallbackAgentIds { get; init; } = [];

    /// <summary>What the record's own rules cannot say.</summary>
    /// <exception cref="ProblemException">400 with every fault.</exception>
    public AgentDraft ToDraft(SettingsRules rules, bool keepsApiKey)
    {
        var errors = new FieldErrors();
        if (Name.Trim() != Name || Name.Length == 0)
            errors.Add("name", "Must have no white space around it.");
        if (BuiltInAgents.Find(Name) is not null)
            errors.Add("name", "Is the name of a built-in agent.");
        if (Kind == "echo" && ApiKey is not null)
            errors.Add("api_key", "Is of no use to an echo agent.");
        if (FallbackAgentIds.Distinct().Count() < FallbackAgentIds.Length)
            errors.Add("fallback_agent_ids", "Has an agent twice.");

        var settingsErrors = new SettingsErrors();
        var kind = AgentKinds.ByName[Kind];
        var settings = AgentSettings.Read(kind, Settings ?? JsonElement.Parse("{}"), rules, settingsErrors);
        foreach (var (field, faults) in settingsErrors.ToDictionary())
        {
            foreach (var fault in faults)
                errors.Add(field, fault);
        }

        errors.ThrowIfAny();
        return new AgentDraft(Name, Description, kind, settings!, ApiKey, keepsApiKey, FallbackAgentIds);
    }
}

internal sealed record AgentListQuery : PageQuery
{
    [AllowedValues(null, "echo", "http", "openai", ErrorMessage = "Must be one of echo, http, openai.")]
    public string? Kind { get; init; }

    [StringLength(100)]
    public string? Name { get; init; }
}

internal sealed record TestAgentRequest
{
    [StringLength(10_000, MinimumLength = 1)]
    [Description("What the agent is asked.")]
    public string Description { get; init; } = "Reply with one short sentence.";

    public JsonElement? Input { get; init; }
}

internal sealed record AgentPage(IReadOnlyList<AgentResource> Agents, string? NextCursor);

/// <param name="Output">At most 65,536 characters of the answer.</param>
/// <param name="Truncated">The answer was longer, and was not read to its end.</param>
internal sealed record AgentTestResult(string Output, bool Truncated, long LatencyMs, AgentTestUsage? Usage);

/// <param name="CostUsd">Null where no price is known.</param>
internal sealed record AgentTestUsage(string? Model, long InputTokens, long OutputTokens, decimal? CostUsd);
