using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Microsoft.Azure.Functions.Worker;

/// <summary>A function that runs on a schedule.</summary>
/// <param name="schedule">NCRONTAB with six fields, seconds first; or a time span between runs; or <c>%Setting%</c>.
/// All times are UTC.</param>
public sealed class TimerTriggerAttribute(string schedule) : TriggerBindingAttribute
{
    public string Schedule { get; } = schedule;

    /// <summary>Remember the last run across restarts. Never done for schedules under a minute.</summary>
    public bool UseMonitor { get; set; } = true;

    /// <summary>Run once when the app starts, whatever the schedule.</summary>
    public bool RunOnStartup { get; set; }
}
