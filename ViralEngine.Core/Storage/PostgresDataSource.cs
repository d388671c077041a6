using Npgsql;

namespace ViralEngine.Core.Storage;

/// <summary>Builds the app's pool of connections to PostgreSQL.</summary>
public static class PostgresDataSource
{
    public static NpgsqlDataSource Create(string connectionString)
    {
        var builder = new NpgsqlDataSourceBuilder(connectionString);
        // Nothing here outlives its transaction, so there is nothing to reset; and a pooler in transaction mode has no sessions.
        builder.ConnectionStringBuilder.NoResetOnClose = true;
        builder.ConnectionStringBuilder.ApplicationName ??= "viral-engine";
        return builder.Build();
    }
}
