using ViralEngine.Core.Fields;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Agents;

/// <summary>Creates or replaces a tenant's agent.</summary>
public sealed class SaveAgent(AgentStore store)
{
    public abstract record Outcome
    {
        private Outcome()
        {
        }

        public sealed record Saved(Agent Agent) : Outcome;

        public sealed record NotFound : Outcome;

        /// <summary>Another agent of the tenant has this name.</summary>
        public sealed record NameTaken : Outcome;

        /// <summary>The agent was changed or deleted concurrently.</summary>
        public sealed record Conflict : Outcome;

        /// <summary>The request is invalid.</summary>
        public sealed record Invalid(FieldErrors Errors) : Outcome;
    }

    public async Task<Outcome> CreateAsync(TenantId tenant, AgentDraft draft, string createdBy, CancellationToken ct)
    {
        var id = RowId.New();
        var secrets = new AgentSecrets(draft.ApiKey, draft.Settings.SecretHeaders);
        return await store.AddAsync(tenant, id, draft, secrets, createdBy, ct) switch
        {
            { Done: true } => await SavedAsync(tenant, id, ct),
            { MissingFallbacks: [_, ..] missing } => new Outcome.Invalid(Missing(draft, missing)),
            _ => new Outcome.NameTaken(),
        };
    }

    /// <summary>
    /// Replaces everything but the kind. Secrets that the draft does not mention are kept, unless they would be sent to
    /// another host than the one they were given for.
    /// </summary>
    public async Task<Outcome> ReplaceAsync(TenantId tenant, Guid id, AgentDraft draft, CancellationToken ct)
    {
        if (await store.FindForEditAsync(tenant, id, ct) is not { } stored)
            return new Outcome.NotFound();

        var errors = new FieldErrors();
        if (draft.Kind != stored.Definition.Kind)
            errors.Add("kind", "Cannot be changed: create another agent.");
        if (draft.FallbackAgentIds.Contains(id))
            errors.Add("fallback_agent_ids", "Must not contain the agent itself.");
        var secrets = Keep(draft, stored.Definition, errors);
        if (errors.Any)
            return new Outcome.Invalid(errors);

        return await store.ReplaceAsync(tenant, id, stored.Version, draft, secrets, ct) switch
        {
            { Done: true } => await SavedAsync(tenant, id, ct),
            { MissingFallbacks: [_, ..] missing } => new Outcome.Invalid(Missing(draft, missing)),
            { NameTaken: true } => new Outcome.NameTaken(),
            _ => new Outcome.Conflict(),
        };
    }

    private static AgentSecrets Keep(AgentDraft draft, AgentDefinition stored, FieldErrors errors)
    {
        var storedHeaders = stored.Settings.SecretHeaders;
        var newHeaders = draft.Settings.SecretHeaders;
        if (draft.Settings.FindOrigin() != stored.Settings.FindOrigin())
        {
            const string again = "Must be sent again (or set to null), because the agent now calls another host.";
            if (draft.KeepsApiKey && stored.ApiKey is not null)
                errors.Add("api_key", again);
            if (newHeaders is null && storedHeaders is { Count: > 0 })
                errors.Add("settings.secret_headers", again);
        }

        return new AgentSecrets(draft.KeepsApiKey ? stored.ApiKey : draft.ApiKey, newHeaders ?? storedHeaders);
    }

    private static FieldErrors Missing(AgentDraft draft, Guid[] missing)
    {
        var errors = new FieldErrors();
        for (var i = 0; i < draft.FallbackAgentIds.Count; i++)
        {
            if (missing.Contains(draft.FallbackAgentIds[i]))
                errors.Add($"fallback_agent_ids[{i}]", "The agent does not exist.");
        }

        return errors;
    }

    private async Task<Outcome> SavedAsync(TenantId tenant, Guid id, CancellationToken ct) =>
        await store.FindAsync(tenant, id, ct) is { } agent ? new Outcome.Saved(agent) : new Outcome.Conflict();
}
