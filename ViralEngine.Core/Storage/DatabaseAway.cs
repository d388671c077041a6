using Npgsql;

namespace ViralEngine.Core.Storage;

/// <summary>Distinguishes a temporary loss of the database from an error in a statement.</summary>
public static class DatabaseAway
{
    /// <summary>Whether a retry may succeed, for example after a restart or failover of the server.</summary>
    public static bool Explains(Exception exception) =>
        exception is NpgsqlException { IsTransient: true }
            or PostgresException { SqlState: PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown }
            // PgBouncer's error when it cannot reach the server.
            or PostgresException { SqlState: PostgresErrorCodes.ProtocolViolation, Severity: "FATAL" };

    /// <summary>
    /// Whether the server itself did not answer or ended the connection, rather than a statement's conflict with
    /// others, such as a deadlock (SQLSTATE classes 57P and 08).
    /// </summary>
    internal static bool EndsConnections(NpgsqlException failure) =>
        failure is not PostgresException { SqlState: not (['5', '7', 'P', ..] or ['0', '8', ..]) };
}
