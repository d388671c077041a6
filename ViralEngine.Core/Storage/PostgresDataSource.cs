using Azure.Core;
using Npgsql;

namespace ViralEngine.Core.Storage;

/// <summary>Builds the app's pool of connections to PostgreSQL.</summary>
public static class PostgresDataSource
{
    /// <param name="connectionString">The server and login.</param>
    /// <param name="credential">An Entra identity whose tokens replace the password; null if the string has
    /// one.</param>
    public static NpgsqlDataSource Create(string connectionString, TokenCredential? credential = null)
    {
        var builder = new NpgsqlDataSourceBuilder(connectionString);
        // Nothing outlives its transaction, so there is nothing to reset, and a pooler in transaction mode has no
        // sessions.
        builder.ConnectionStringBuilder.NoResetOnClose = true;
        builder.ConnectionStringBuilder.ApplicationName ??= "viral-engine";
        if (credential is not null)
            builder.UseEntraPassword(credential);
        return builder.Build();
    }
}
