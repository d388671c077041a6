namespace ViralEngine.Testing;

/// <summary>
/// The servers that <c>./dev test</c> started. A missing one fails the test that needs it; nothing is skipped.
/// </summary>
public static class TestServers
{
    /// <summary>A superuser's connection string: tests make databases and roles.</summary>
    public static string Postgres => Require("VIRAL_TEST_POSTGRES", "PostgreSQL, as its superuser");

    public static string Redis => Require("VIRAL_TEST_REDIS", "a Redis-protocol server");

    /// <summary>
    /// Where a PgBouncer in transaction mode stands before that PostgreSQL; null: apps connect to it themselves.
    /// </summary>
    public static int? PgBouncerPort =>
        int.TryParse(Environment.GetEnvironmentVariable("VIRAL_TEST_PGBOUNCER_PORT"), out var port) ? port : null;

    private static string Require(string name, string what) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value
            ? value
            : throw new InvalidOperationException(
                $"{name} is not set. Run the tests with ./dev test, which starts their servers, "
                + $"or set it to a connection string for {what}.");
}
