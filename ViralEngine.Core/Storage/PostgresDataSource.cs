using Azure.Core;
using Npgsql;

namespace ViralEngine.Core.Storage;

/// <summary>Builds the app's pool of connections to PostgreSQL.</summary>
public static class PostgresDataSource
{
    /// <param name="connectionString">Where, and as whom.</param>
    /// <param name="credential">An Entra identity whose tokens take the place of a password; null: the string has one.</param>
    public static NpgsqlDataSource Create(string connectionString, TokenCredential? credential = null)
    {
        var builder = new NpgsqlDataSourceBuilder(connectionString);
        // Nothing here outlives its transaction, so there is nothing to reset; and a pooler in transaction mode has no sessions.
        builder.ConnectionStringBuilder.NoResetOnClose = true;
        builder.ConnectionStringBuilder.ApplicationName ??= "viral-engine";
        if (credential is not null)
            builder.UseEntraPassword(credential);
        return builder.Build();
    }
}
