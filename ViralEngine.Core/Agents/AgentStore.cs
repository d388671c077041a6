using System.Text.Json;
using Npgsql;
using ViralEngine.Core.Secrets;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Agents;

/// <summary>Tenants' agents in PostgreSQL, their secrets encrypted. Each call is one round trip.</summary>
public sealed class AgentStore(Db db, SecretBox box)
{
    /// <summary>In the order in which <see cref="ReadAgent"/> reads them.</summary>
    private const string Columns =
        """
        id, name, description, kind, settings::text, api_key_hint, secret_header_names, fallback_agent_ids,
        created_by, created_at, updated_at
        """;

    public Task<Agent?> FindAsync(TenantId tenant, Guid id, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            $"""
            SELECT {Columns}
            FROM viral.agents
            WHERE tenant_id = $1 AND id = $2
            """,
            [tenant.Value, id],
            ReadAgent,
            ct);

    public Task<bool> ExistsAsync(TenantId tenant, Guid id, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant, "SELECT true FROM viral.agents WHERE tenant_id = $1 AND id = $2", [tenant.Value, id],
            row => row.GetBoolean(0), ct);

    /// <summary>Newest first. <paramref name="before"/> is the id of the last agent of the page before.</summary>
    public Task<List<Agent>> ListAsync(
        TenantId tenant, AgentKind? kind, string? name, Guid? before, int limit, CancellationToken ct) =>
        db.QueryListAsync(
            tenant,
            $"""
            SELECT {Columns}
            FROM viral.agents
            WHERE tenant_id = $1
              AND ($2::text IS NULL OR kind = $2)
              AND ($3::text IS NULL OR name = $3)
              AND ($4::uuid IS NULL OR id < $4)
            ORDER BY id DESC
            LIMIT $5
            """,
            [tenant.Value, kind?.ToText(), name, before, limit],
            ReadAgent,
            ct);

    /// <summary>
    /// The agent, then its fallbacks in order, with decrypted secrets; empty if the agent does not exist. Applies the
    /// actions of open alerts: pauses the agent, skips it if it has a fallback, or halves its concurrent calls.
    /// </summary>
    internal async Task<IReadOnlyList<AgentDefinition>> LoadChainAsync(TenantId tenant, Guid id, CancellationToken ct)
    {
        string[] restraints = [];
        int? mostCalls = null;
        var found = await db.QueryAsync(
            tenant,
            """
            SELECT id, name, kind, settings::text, secrets, fallback_agent_ids,
                   ARRAY(
                       SELECT restraint.action
                       FROM viral.agent_restraints AS restraint
                       WHERE restraint.tenant_id = $1 AND restraint.agent_id = $2::uuid::text),
                   (SELECT min(restraint.max_concurrency)
                    FROM viral.agent_restraints AS restraint
                    WHERE restraint.tenant_id = $1 AND restraint.agent_id = $2::uuid::text)
            FROM viral.agents
            WHERE tenant_id = $1
              AND (id = $2 OR id = ANY (ARRAY(
                  SELECT unnest(fallback_agent_ids) FROM viral.agents WHERE tenant_id = $1 AND id = $2)))
            """,
            [tenant.Value, id],
            row =>
            {
                restraints = row.GetFieldValue<string[]>(6);
                mostCalls = row.GetInt32OrNull(7);
                return ReadDefinition(tenant, row);
            },
            ct);
        if (found.Find(agent => agent.Id == id) is not { } first)
            return [];
        var fallbacks = first.FallbackAgentIds.SelectMany(next => found.Where(agent => agent.Id == next)).ToArray();
        if (restraints.Contains("use_fallback") && fallbacks.Length > 0)
            return fallbacks;
        var settings = mostCalls < (first.Settings.MaxConcurrency ?? int.MaxValue)
            ? first.Settings with { MaxConcurrency = mostCalls }
            : first.Settings;
        return [first with { IsPaused = restraints.Contains("pause_agent"), Settings = settings }, .. fallbacks];
    }

    /// <summary>
    /// The agent for an edit: its decrypted secrets, and the version it must still have when it is written.
    /// </summary>
    internal Task<StoredAgent?> FindForEditAsync(TenantId tenant, Guid id, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            """
            SELECT id, name, kind, settings::text, secrets, fallback_agent_ids, version
            FROM viral.agents
            WHERE tenant_id = $1 AND id = $2
            """,
            [tenant.Value, id],
            row => new StoredAgent(ReadDefinition(tenant, row), row.GetInt32(6)),
            ct);

    internal Task<AgentWrite?> AddAsync(
        TenantId tenant, Guid id, AgentDraft draft, AgentSecrets secrets, string createdBy, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            """
            WITH missing AS (
                SELECT fallback.id
                FROM unnest($10::uuid[]) AS fallback (id)
                WHERE NOT EXISTS (SELECT FROM viral.agents AS agent WHERE agent.tenant_id = $1
                    AND agent.id = fallback.id)
            ), added AS (
                INSERT INTO viral.agents (
                    tenant_id, id, name, description, kind, settings, secrets, api_key_hint, secret_header_names,
                    fallback_agent_ids, created_by)
                SELECT $1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9, $10, $11
                WHERE NOT EXISTS (SELECT FROM missing)
                ON CONFLICT ON CONSTRAINT agents_name_once DO NOTHING
                RETURNING id
            )
            SELECT EXISTS (SELECT FROM added), ARRAY(SELECT id FROM missing)
            """,
            [
                tenant.Value, id, draft.Name, draft.Description, draft.Kind.ToText(),
                AgentSettingsJson.Write(draft.Settings).GetRawText(), Seal(tenant, id, secrets), HintOf(secrets),
                NamesOf(secrets), draft.FallbackAgentIds.ToArray(), createdBy,
            ],
            row => new AgentWrite(row.GetBoolean(0), row.GetFieldValue<Guid[]>(1), NameTaken: false),
            ct);

    /// <summary>Changes nothing if the agent has another version, no longer exists, or breaks a rule.</summary>
    internal async Task<AgentWrite?> ReplaceAsync(
        TenantId tenant, Guid id, int version, AgentDraft draft, AgentSecrets secrets, CancellationToken ct)
    {
        try
        {
            return await db.QueryOneAsync(
                tenant,
                """
                WITH missing AS (
                    SELECT fallback.id
                    FROM unnest($9::uuid[]) AS fallback (id)
                    WHERE NOT EXISTS (SELECT FROM viral.agents AS agent WHERE agent.tenant_id = $1
                        AND agent.id = fallback.id)
                ), taken AS (
                    SELECT FROM viral.agents WHERE tenant_id = $1 AND name = $3 AND id <> $2
                ), changed AS (
                    UPDATE viral.agents
                    SET name = $3, description = $4, settings = $5::jsonb, secrets = $6, api_key_hint = $7,
                        secret_header_names = $8, fallback_agent_ids = $9, version = version + 1, updated_at = now()
                    WHERE tenant_id = $1 AND id = $2 AND version = $10
                      AND NOT EXISTS (SELECT FROM missing) AND NOT EXISTS (SELECT FROM taken)
                    RETURNING id
                )
                SELECT EXISTS (SELECT FROM changed), ARRAY(SELECT id FROM missing), EXISTS (SELECT FROM taken)
                """,
                [
                    tenant.Value, id, draft.Name, draft.Description,
                    AgentSettingsJson.Write(draft.Settings).GetRawText(), Seal(tenant, id, secrets), HintOf(secrets),
                    NamesOf(secrets), draft.FallbackAgentIds.ToArray(), version,
                ],
                row => new AgentWrite(row.GetBoolean(0), row.GetFieldValue<Guid[]>(1), row.GetBoolean(2)),
                ct);
        }
        catch (PostgresException e)
            when (e is { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: "agents_name_once" })
        {
            return new AgentWrite(Done: false, [], NameTaken: true);
        }
    }

    /// <summary>
    /// Null if the agent does not exist; else the names of agents that fall back to it, none if it was deleted.
    /// </summary>
    public Task<string[]?> DeleteAsync(TenantId tenant, Guid id, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            """
            WITH users AS (
                SELECT name FROM viral.agents WHERE tenant_id = $1 AND $2 = ANY (fallback_agent_ids)
            ), deleted AS (
                DELETE FROM viral.agents WHERE tenant_id = $1 AND id = $2 AND NOT EXISTS (SELECT FROM users)
            )
            SELECT ARRAY(SELECT name FROM users ORDER BY name LIMIT 20)
            FROM viral.agents
            WHERE tenant_id = $1 AND id = $2
            """,
            [tenant.Value, id],
            row => row.GetFieldValue<string[]?>(0),
            ct);

    private static Agent ReadAgent(NpgsqlDataReader row)
    {
        var kind = AgentKinds.ByName[row.GetString(3)];
        return new Agent(
            row.GetGuid(0),
            row.GetString(1),
            row.GetStringOrNull(2),
            kind,
            AgentSettingsJson.Read(kind, row.GetString(4)),
            row.GetStringOrNull(5),
            row.GetFieldValue<string[]>(6),
            row.GetFieldValue<Guid[]>(7),
            row.GetString(8),
            row.GetDateTime(9),
            row.GetDateTime(10));
    }

    private AgentDefinition ReadDefinition(TenantId tenant, NpgsqlDataReader row)
    {
        var (id, kind) = (row.GetGuid(0), AgentKinds.ByName[row.GetString(2)]);
        var secrets = row.IsDBNull(4) ? null : Open(tenant, id, row.GetFieldValue<byte[]>(4));
        var settings = AgentSettingsJson.Read(kind, row.GetString(3)) with { SecretHeaders = secrets?.Headers };
        return new AgentDefinition(id, row.GetString(1), settings, secrets?.ApiKey, row.GetFieldValue<Guid[]>(5));
    }

    private byte[]? Seal(TenantId tenant, Guid id, AgentSecrets secrets) => secrets.Any
        ? box.Seal(
            tenant.Value, AgentSecrets.PurposeOf(id), JsonSerializer.Serialize(secrets, AgentJson.Default.AgentSecrets))
        : null;

    private AgentSecrets Open(TenantId tenant, Guid id, byte[] sealedSecrets) =>
        JsonSerializer.Deserialize(
            box.Open(tenant.Value, AgentSecrets.PurposeOf(id), sealedSecrets), AgentJson.Default.AgentSecrets)!;

    // Four characters would disclose too much of a short key.
    private static string? HintOf(AgentSecrets secrets) =>
        secrets.ApiKey is { } key ? key.Length >= 16 ? key[^4..] : "" : null;

    private static string[] NamesOf(AgentSecrets secrets) => [.. secrets.Headers?.Keys ?? []];
}

internal sealed record StoredAgent(AgentDefinition Definition, int Version);

/// <summary>Whether a write was done; if not, why: missing fallbacks, a taken name, or else the version.</summary>
internal sealed record AgentWrite(bool Done, Guid[] MissingFallbacks, bool NameTaken);
