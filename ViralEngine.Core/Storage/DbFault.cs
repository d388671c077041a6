using Npgsql;

namespace ViralEngine.Core.Storage;

/// <summary>Tells whose fault a failed statement is.</summary>
internal static class DbFault
{
    /// <summary>
    /// The server is away, or ends what it was at: the same may work again soon. Not so where it refuses a value, a row or the
    /// statement itself (SQLSTATE classes 22, 23 and 42).
    /// </summary>
    public static bool IsAway(Exception failure) =>
        failure is NpgsqlException and not PostgresException { SqlState: ['2', '2' or '3', ..] or ['4', '2', ..] };
}
