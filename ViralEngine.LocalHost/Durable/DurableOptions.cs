using System.ComponentModel.DataAnnotations;

namespace ViralEngine.LocalHost.Durable;

/// <summary>Settings of the engine, section <c>LocalHost:Durable</c>.</summary>
internal sealed class DurableOptions
{
    public const string Section = "LocalHost:Durable";

    /// <summary>PostgreSQL; <c>ConnectionStrings:Postgres</c> when not set.</summary>
    [Required(ErrorMessage = "ConnectionStrings:Postgres must name the database that holds the orchestrations.")]
    public string ConnectionString { get; set; } = "";

    /// <summary>Activities that run in this process at a time; 0 leaves them to others.</summary>
    [Range(0, 10_000)]
    public int MaxConcurrentActivities { get; set; } = 256;

    /// <summary>Orchestrations that take a step in this process at a time; 0 leaves them to others.</summary>
    [Range(0, 1_000)]
    public int MaxConcurrentOrchestrations { get; set; } = 64;

    /// <summary>Seconds without a sign of life after which others take over a process's work.</summary>
    [Range(1, 300)]
    public double LeaseSeconds { get; set; } = 8;

    /// <summary>Longest wait between looks at the store, in milliseconds, where notifications arrive.</summary>
    [Range(10, 60_000)]
    public int PollMilliseconds { get; set; } = 10_000;

    /// <summary>Whether to listen for notifications. Behind a pooler that cannot, polling takes over by itself.</summary>
    public bool Listen { get; set; } = true;

    /// <summary>
    /// Whether statements are prepared and planned for indexes, which a session remembers; off behind a pooler in
    /// transaction mode.
    /// </summary>
    public bool Prepare { get; set; } = true;

    /// <summary>Seconds that running activities get to end when the process is asked to stop.</summary>
    [Range(0, 300)]
    public double ShutdownSeconds { get; set; } = 3;
}
