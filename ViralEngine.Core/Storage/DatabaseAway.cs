using Npgsql;

namespace ViralEngine.Core.Storage;

/// <summary>Tells the loss of the database, which passes, from what is wrong with a statement.</summary>
public static class DatabaseAway
{
    /// <summary>Whether the same may succeed a moment later, as when the server is restarted or another takes its place.</summary>
    public static bool Explains(Exception exception) =>
        exception is NpgsqlException { IsTransient: true }
            or PostgresException { SqlState: PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown }
            // How PgBouncer says that it cannot reach the server.
            or PostgresException { SqlState: PostgresErrorCodes.ProtocolViolation, Severity: "FATAL" };
}
