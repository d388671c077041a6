using Npgsql;

namespace ViralEngine.Core.Storage;

/// <summary>Classifies failed statements.</summary>
internal static class DbFault
{
    /// <summary>
    /// Whether the failure is temporary: the server is unreachable or shutting down. False if it rejects a value, a row
    /// or the statement (SQLSTATE classes 22, 23 and 42).
    /// </summary>
    public static bool IsAway(Exception failure) =>
        failure is NpgsqlException and not PostgresException { SqlState: ['2', '2' or '3', ..] or ['4', '2', ..] };
}
