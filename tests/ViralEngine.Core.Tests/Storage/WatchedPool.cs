using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ViralEngine.Core.Tests.Storage;

/// <summary>
/// A pool as the app makes it, and the plans of all statements that it ran, those of triggers too: the server's
/// auto_explain sends each as a notice, and the driver logs notices.
/// </summary>
internal sealed class WatchedPool : ILoggerFactory, ILogger, IAsyncDisposable
{
    private readonly ConcurrentQueue<string> notices = [];

    private WatchedPool(string connectionString)
    {
        var builder =
            new NpgsqlDataSourceBuilder(connectionString) { ConnectionStringBuilder = { NoResetOnClose = true } };
        DataSource = builder.UseLoggerFactory(this).Build();
    }

    public NpgsqlDataSource DataSource { get; }

    public static async Task<WatchedPool> OpenAsync(string connectionString)
    {
        var pool = new WatchedPool(connectionString);
        // The first connection of a pool asks for the types.
        await using var first = await pool.DataSource.OpenConnectionAsync();
        return pool;
    }

    /// <summary>Turns auto_explain on for new connections to a database.</summary>
    public static async Task TurnOnAsync(string adminConnection)
    {
        await using var admin = new NpgsqlConnection(adminConnection);
        await admin.OpenAsync();
        await using var batch = new NpgsqlBatch(admin);
        foreach (var (name, value) in new[]
        {
            ("session_preload_libraries", "auto_explain"), ("auto_explain.log_min_duration", "0"),
            ("auto_explain.log_analyze", "on"),
            ("auto_explain.log_buffers", "on"), ("auto_explain.log_timing", "off"), ("auto_explain.log_format", "json"),
            ("auto_explain.log_level", "notice"), ("auto_explain.log_nested_statements", "on"),
        })
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand($"ALTER DATABASE {admin.Database} SET {name} = '{value}'"));
        }

        await batch.ExecuteNonQueryAsync();
    }

    /// <summary>The plans since the last call, in the order in which the statements ended.</summary>
    public IReadOnlyList<StatementPlan> TakePlans()
    {
        var taken = new List<StatementPlan>();
        while (notices.TryDequeue(out var notice))
            taken.Add(StatementPlan.Parse(notice[notice.IndexOf('{', StringComparison.Ordinal)..]));
        return taken;
    }

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        var message = formatter(state, exception);
        if (message.StartsWith("Received notice: duration:", StringComparison.Ordinal))
            notices.Enqueue(message);
    }

    public ILogger CreateLogger(string categoryName) => this;

    public bool IsEnabled(LogLevel logLevel) => logLevel == LogLevel.Debug;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public void Dispose()
    {
    }

    public ValueTask DisposeAsync() => DataSource.DisposeAsync();
}

/// <param name="Scanned">Tables that were read as a whole.</param>
/// <param name="Blocks">Blocks looked at, wherever they were found.</param>
internal sealed record StatementPlan(string Statement, IReadOnlyList<string> Scanned, long Blocks)
{
    public static StatementPlan Parse(string json)
    {
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 256 });
        var root = document.RootElement.GetProperty("Plan");
        var nodes = WithChildren(root).ToList();
        return new StatementPlan(
            document.RootElement.GetProperty("Query Text").GetString()!,
            [.. nodes.Where(node => Text(node, "Node Type") == "Seq Scan")
                .Select(node => Text(node, "Relation Name")!)],
            BlocksOf(root) + nodes.Where(IsBesideRoot).Sum(BlocksOf));

        // A CTE that nothing reads: the root does not count its blocks.
        bool IsBesideRoot(JsonElement node) => Text(node, "Subplan Name") is ['C', 'T', 'E', ' ', .. var name]
            && !nodes.Exists(reader => Text(reader, "CTE Name") == name);
    }

    private static IEnumerable<JsonElement> WithChildren(JsonElement node) =>
        node.TryGetProperty("Plans", out var children)
        ? children.EnumerateArray().SelectMany(WithChildren).Prepend(node)
        : [node];

    private static string? Text(JsonElement node, string name) =>
        node.TryGetProperty(name, out var text) ? text.GetString() : null;

    private static long BlocksOf(JsonElement node) =>
        node.GetProperty("Shared Hit Blocks").GetInt64() + node.GetProperty("Shared Read Blocks").GetInt64();
}
