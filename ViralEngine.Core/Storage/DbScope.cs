using System.Globalization;
using Npgsql;

namespace ViralEngine.Core.Storage;

/// <summary>
/// The rows a statement sees: one tenant's, or (for sweeps, sign-in and platform calls) all tenants'.
/// </summary>
public readonly record struct DbScope
{
    private readonly Guid? tenant;

    private DbScope(Guid? tenant) => this.tenant = tenant;

    public static DbScope AllTenants { get; } = new(null);

    public static implicit operator DbScope(TenantId tenant) => Of(tenant);

    public static DbScope Of(TenantId tenant) => new(tenant.Value);

    /// <summary>The statement that goes first in every transaction, in the same round trip as the rest.</summary>
    internal NpgsqlBatchCommand Enter(TimeSpan? statementTimeout = null)
    {
        // 0 means none.
        var timeout = new NpgsqlParameter<string>
        {
            TypedValue = ((long)(statementTimeout?.TotalMilliseconds ?? 0)).ToString(CultureInfo.InvariantCulture),
        };
        if (tenant is not { } id)
        {
            return new NpgsqlBatchCommand(
                "SELECT set_config('role', 'viral_sweeper', true), set_config('statement_timeout', $1, true)")
            {
                Parameters = { timeout },
            };
        }

        return new NpgsqlBatchCommand(
            """
            SELECT set_config('role', 'viral_app', true), set_config('viral.tenant_id', $1, true),
                   set_config('statement_timeout', $2, true)
            """)
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = id.ToString() }, timeout },
        };
    }
}
