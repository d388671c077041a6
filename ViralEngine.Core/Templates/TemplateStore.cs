using System.Text.Json;
using Npgsql;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Templates;

/// <summary>Templates in PostgreSQL. Row-level security also shows other tenants' public ones.</summary>
public sealed class TemplateStore(Db db)
{
    public Task<int> AddAsync(TenantId tenant, NewTemplate template, CancellationToken ct) =>
        db.ExecuteAsync(
            tenant,
            """
            WITH template AS (
                INSERT INTO viral.workflow_templates (tenant_id, id, name, description, visibility, latest_version,
                    created_by)
                VALUES ($1, $2, $3, $4, $5, 1, $6)
                RETURNING tenant_id, id, created_by
            )
            INSERT INTO viral.workflow_template_versions (tenant_id, template_id, version, definition, parameters,
                created_by)
            SELECT tenant_id, id, 1, $7::json, $8::json, created_by
            FROM template
            """,
            [
                tenant.Value, template.Id, template.Name, template.Description, template.Visibility, template.By,
                template.DefinitionJson, template.ParametersJson,
            ],
            ct);

    /// <summary>
    /// Adds a version, and updates name, description and visibility. Null if the organization has no such template.
    /// </summary>
    public Task<int?> AddVersionAsync(TenantId tenant, NewTemplate template, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            """
            WITH template AS (
                UPDATE viral.workflow_templates
                SET latest_version = latest_version + 1, name = $3, description = $4, visibility = $5,
                    updated_at = now()
                WHERE tenant_id = $1 AND id = $2
                RETURNING tenant_id, id, latest_version
            ), version AS (
                INSERT INTO viral.workflow_template_versions (tenant_id, template_id, version, definition, parameters,
                    created_by)
                SELECT tenant_id, id, latest_version, $7::json, $8::json, $6
                FROM template
            )
            SELECT latest_version
            FROM template
            """,
            [
                tenant.Value, template.Id, template.Name, template.Description, template.Visibility, template.By,
                template.DefinitionJson, template.ParametersJson,
            ],
            row => (int?)row.GetInt32(0),
            ct);

    /// <summary>A version of an own or public template, by default the latest. Null if it does not exist.</summary>
    public Task<WorkflowTemplate?> FindAsync(TenantId tenant, Guid id, int? version, CancellationToken ct) =>
        db.QueryOneAsync(
            tenant,
            """
            SELECT template.id, template.name, template.description, template.visibility, template.tenant_id = $1,
                   template.latest_version, version.version, version.definition::text, version.parameters::text,
                   template.created_at, template.updated_at
            FROM viral.workflow_templates AS template
            JOIN viral.workflow_template_versions AS version
              ON version.tenant_id = template.tenant_id AND version.template_id = template.id
            WHERE template.id = $2 AND version.version = COALESCE($3, template.latest_version)
              AND (template.tenant_id = $1 OR template.visibility = 'public')
            """,
            [tenant.Value, id, version],
            Read,
            ct);

    /// <summary>The organization's own, newest first, without definitions.</summary>
    public Task<List<WorkflowTemplate>> ListAsync(TenantId tenant, Guid? before, int limit, CancellationToken ct) =>
        db.QueryAsync(
            tenant,
            """
            SELECT id, name, description, visibility, true, latest_version, latest_version, NULL::text, NULL::text,
                   created_at, updated_at
            FROM viral.workflow_templates
            WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2)
            ORDER BY id DESC
            LIMIT $3
            """,
            [tenant.Value, before, limit],
            Read,
            ct);

    /// <summary>All public templates, newest first, without definitions.</summary>
    public Task<List<WorkflowTemplate>> ListPublicAsync(
        TenantId tenant, Guid? before, int limit, CancellationToken ct) =>
        db.QueryAsync(
            tenant,
            """
            SELECT id, name, description, visibility, tenant_id = $1, latest_version, latest_version, NULL::text,
                   NULL::text, created_at, updated_at
            FROM viral.workflow_templates
            WHERE visibility = 'public' AND ($2::uuid IS NULL OR id < $2)
            ORDER BY id DESC
            LIMIT $3
            """,
            [tenant.Value, before, limit],
            Read,
            ct);

    /// <summary>The versions of an own template, newest first; empty if it does not exist.</summary>
    public Task<List<TemplateVersion>> VersionsAsync(TenantId tenant, Guid id, CancellationToken ct) =>
        db.QueryAsync(
            tenant,
            """
            SELECT version, created_by, created_at
            FROM viral.workflow_template_versions
            WHERE tenant_id = $1 AND template_id = $2
            ORDER BY version DESC
            LIMIT 1000
            """,
            [tenant.Value, id],
            row => new TemplateVersion(row.GetInt32(0), row.GetString(1), row.GetDateTime(2)),
            ct);

    /// <summary>The definitions of all versions of an own template, by version.</summary>
    public Task<List<(int Version, JsonElement Definition)>> DefinitionsAsync(
        TenantId tenant, Guid id, CancellationToken ct) =>
        db.QueryAsync(
            tenant,
            """
            SELECT version, definition::text
            FROM viral.workflow_template_versions
            WHERE tenant_id = $1 AND template_id = $2
            ORDER BY version
            """,
            [tenant.Value, id],
            row => (row.GetInt32(0), JsonElement.Parse(row.GetString(1))),
            ct);

    /// <summary>Deletes an own template with its versions; workflows started from it are not affected.</summary>
    public async Task<bool> DeleteAsync(TenantId tenant, Guid id, CancellationToken ct) =>
        await db.ExecuteAsync(
            tenant, "DELETE FROM viral.workflow_templates WHERE tenant_id = $1 AND id = $2", [tenant.Value, id],
            ct) > 0;

    private static WorkflowTemplate Read(NpgsqlDataReader row) => new(
        row.GetGuid(0),
        row.GetString(1),
        row.GetStringOrNull(2),
        row.GetString(3),
        row.GetBoolean(4),
        row.GetInt32(5),
        row.GetInt32(6),
        row.GetJsonOrNull(7),
        row.GetJsonOrNull(8),
        row.GetDateTime(9),
        row.GetDateTime(10));
}

/// <summary>A checked request for a template or a new version.</summary>
public sealed record NewTemplate(
    Guid Id, string Name, string? Description, string Visibility, string DefinitionJson, string ParametersJson,
    string By);
