using System.ComponentModel.DataAnnotations;

namespace ViralEngine.LocalHost.Durable;

/// <summary>Settings of the engine, section <c>LocalHost:Durable</c>.</summary>
internal sealed class DurableOptions
{
    public const string Section = "LocalHost:Durable";

    /// <summary>PostgreSQL; <c>ConnectionStrings:Postgres</c> when not set.</summary>
    [Required(ErrorMessage = "ConnectionStrings:Postgres must name the database that holds the orchestrations.")]
    public string ConnectionString { get; set; } = "";

    /// <summary>Concurrent activities in this process; 0 leaves them to others.</summary>
    [Range(0, 10_000)]
    public int MaxConcurrentActivities { get; set; } = 256;

    /// <summary>Orchestrations that take a step concurrently in this process; 0 leaves them to others.</summary>
    [Range(0, 1_000)]
    public int MaxConcurrentOrchestrations { get; set; } = 64;

    /// <summary>Seconds without renewal after which others take over a process's work.</summary>
    [Range(1, 300)]
    public double LeaseSeconds { get; set; } = 8;

    /// <summary>Longest time between polls of the store, in milliseconds, while notifications arrive.</summary>
    [Range(10, 60_000)]
    public int PollMilliseconds { get; set; } = 10_000;

    /// <summary>
    /// Whether to listen for notifications. Behind a pooler that does not support them, polling takes over.
    /// </summary>
    public bool Listen { get; set; } = true;

    /// <summary>
    /// Whether statements are prepared and planned for indexes, which is session state; off behind a pooler in
    /// transaction mode.
    /// </summary>
    public bool Prepare { get; set; } = true;

    /// <summary>Seconds that running activities have to finish when the process is asked to stop.</summary>
    [Range(0, 300)]
    public double ShutdownSeconds { get; set; } = 3;
}
