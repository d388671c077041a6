using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Alerts;
using ViralEngine.Core.Alerts.Detection;
using ViralEngine.Core.Fields;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Alerts;

internal sealed record AlertRuleRequest
{
    [Required, StringLength(100, MinimumLength = 1)]
    public string Name { get; init; } = "";

    [Required]
    public AlertMetric Metric { get; init; }

    [StringLength(100, MinimumLength = 1)]
    [Description("Only this agent's tasks; by default all of the organization.")]
    public string? AgentId { get; init; }

    [Description(
        "anomaly learns what is usual; simple alerts at three standard deviations from the mean, "
        + "or for latency at twice the mean; static alerts at a fixed bound.")]
    public AlertMode Mode { get; init; }

    [Description("Which direction raises an alert.")]
    public AlertDirection Direction { get; init; }

    [Range(0.01, 100.0)]
    [Description(
        "How many false alarms a month are acceptable, in mode anomaly. Fewer means fewer alerts, and later ones.")]
    public double FalseAlarmsPerMonth { get; init; } = SeriesDetector.DefaultFalseAlarmsPerMonth;

    [Range(0, 1_000_000)]
    [Description("Windows with fewer tasks raise no alert.")]
    public int LeastVolume { get; init; }

    [Description("In mode static: values above this raise an alert.")]
    public double? BoundAbove { get; init; }

    [Description("In mode static: values below this raise an alert.")]
    public double? BoundBelow { get; init; }

    [StringLength(5, MinimumLength = 5)]
    [Description("Start of quiet hours, HH:mm. No alert is opened or updated during them.")]
    public string? QuietFrom { get; init; }

    [StringLength(5, MinimumLength = 5)]
    [Description("End of quiet hours, HH:mm.")]
    public string? QuietTo { get; init; }

    [StringLength(64, MinimumLength = 1)]
    [Description("The time zone of quiet hours, an IANA name such as Europe/Berlin.")]
    public string TimeZone { get; init; } = "UTC";

    [Description(
        "What to do while the alert is open: pause_agent makes the agent's tasks wait, use_fallback sends them to its "
        + "fallbacks, halve_concurrency halves how many calls it makes at a time. "
        + "Requires one of the organization's own agents.")]
    public AlertAction? Action { get; init; }

    public bool Enabled { get; init; } = true;

    /// <exception cref="ProblemException">400: the rule contradicts itself.</exception>
    public AlertRuleDraft ToDraft()
    {
        var errors = new FieldErrors();
        if (Mode == AlertMode.Static && BoundAbove is null && BoundBelow is null)
            errors.Add("bound_above", "Mode static needs bound_above or bound_below.");
        if (Mode != AlertMode.Static && (BoundAbove is not null || BoundBelow is not null))
            errors.Add("mode", "Only mode static takes bounds.");
        if (Action is not null && AgentId is null)
            errors.Add("action", "Requires agent_id: the agent to act on.");
        if (Action is not null && AgentId is not null && BuiltInAgents.Find(AgentId) is not null)
            errors.Add("action", $"The built-in agent '{AgentId}' cannot be acted on.");
        if (Metric == AlertMetric.QueueAge && AgentId is not null)
            errors.Add("agent_id", "Cannot be combined with the metric queue_age.");
        if ((QuietFrom is null) != (QuietTo is null))
            errors.Add("quiet_to", "quiet_from and quiet_to must be set together.");
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(TimeZone, out _))
            errors.Add("time_zone", $"Time zone '{TimeZone}' does not exist.");
        var (from, to) = (TimeOf("quiet_from", QuietFrom, errors), TimeOf("quiet_to", QuietTo, errors));
        errors.ThrowIfAny();
        return new AlertRuleDraft(
            Name, Metric, AgentId, Mode, Direction, FalseAlarmsPerMonth, LeastVolume, BoundAbove, BoundBelow, from, to,
            TimeZone, Action,
            Enabled);
    }

    private static TimeOnly? TimeOf(string field, string? text, FieldErrors errors)
    {
        if (text is null)
            return null;
        if (TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
            return time;
        errors.Add(field, "Must be a time of day, HH:mm.");
        return null;
    }
}

internal sealed record AlertRuleListQuery : PageQuery;

internal sealed record PreviewQuery
{
    [Range(1, 60)]
    [Description("How many days back. The first days are used for learning.")]
    public int Days { get; init; } = 30;
}

internal sealed record AlertRulePage(IReadOnlyList<AlertRule> AlertRules, string? NextCursor);

/// <param name="Alerts">In order of time.</param>
internal sealed record RulePreview(DateTime From, DateTime To, IReadOnlyList<PreviewedAlert> Alerts);
