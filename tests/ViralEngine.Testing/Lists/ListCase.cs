using ViralEngine.Core.Agents;
using ViralEngine.Core.Alerts;
using ViralEngine.Core.Approvals;
using ViralEngine.Core.Audit;
using ViralEngine.Core.Batches;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;
using ViralEngine.Core.Webhooks;
using ViralEngine.Core.Workflows;

namespace ViralEngine.Testing.Lists;

/// <summary>
/// A list of the API with one filter, over the rows of <see cref="ManyRows"/>: each finds a page, one row or nothing.
/// </summary>
/// <param name="Filter">The filter's name, and what it is given.</param>
/// <param name="Expected">How many rows it gives.</param>
/// <param name="CallAsync">Gets the first page at a time, and counts its rows.</param>
public sealed record ListCase(
    string List, string Filter, int Expected, Func<Db, TenantId, DateTime, Task<int>> CallAsync)
{
    private const int Page = 20;
    private const int Longest = 400; // days, before the oldest row of ten million

    /// <summary>How many rows it may look through, because no index knows its filter.</summary>
    public int LooksThrough { get; init; }

    public static IReadOnlyList<ListCase> All { get; } =
    [
        Tasks("", Page, _ => new()),
        .. Enum.GetValues<AgentTaskStatus>().Select(status => Tasks(
            $"Status {status}", status == AgentTaskStatus.Completed ? Page : 0, _ => new(Status: status))),
        Tasks("AgentId nobody", 0, _ => new(AgentId: "nobody")),
        Tasks("AgentId rare", 1, _ => new(AgentId: "rare")),
        Tasks("Tag nothere", 0, _ => new(Tag: "nothere")),
        Tasks("Tag rare", 1, _ => new(Tag: "rare")),
        Tasks("Tag rare and Status", 0, _ => new(Tag: "rare", Status: AgentTaskStatus.Failed)),
        Tasks("CreatedAfter an hour ago", 0, now => new(CreatedAfter: now.AddHours(-1))),
        Tasks("CreatedBefore all", 0, now => new(CreatedBefore: now.AddDays(-Longest))),
        Tasks("Search x", Page, _ => new(Search: "X")),
        Tasks("Search nothing", 0, _ => new(Search: "nothing")) with { LooksThrough = TaskStore.MaxLookedThrough },
        Tasks("Search rare and AgentId", 1, _ => new(Search: "Rare", AgentId: "rare")),
        Tasks("Search rare and Tag", 1, _ => new(Search: "Rare", Tag: "rare")),
        Tasks("Search x and Status", 0, _ => new(Search: "x", Status: AgentTaskStatus.Failed)),
        .. Enum.GetValues<AgentTaskStatus>().Select(status => new ListCase(
            "batches", $"Status {status}", status == AgentTaskStatus.Completed ? Page : 0,
            async (db, tenant, _) => (await new BatchStore(db).ListAsync(tenant, status, null, Page, default)).Count)),
        .. Enum.GetValues<WorkflowStatus>().Select(status => Workflows(
            $"Status {status}", status == WorkflowStatus.Completed ? Page : 0,
            (_, _) => new(status, null, null, null))),
        Workflows("TemplateId nobody's", 0, (_, _) => new(null, Guid.NewGuid(), null, null)),
        Workflows("TemplateId rare", 1, (tenant, _) => new(null, tenant.Value, null, null)),
        Workflows("CreatedAfter an hour ago", 0, (_, now) => new(null, null, now.AddHours(-1), null)),
        Workflows("CreatedBefore all", 0, (_, now) => new(null, null, null, now.AddDays(-Longest))),
        Gates("nobody", 0),
        Gates("rare", 1),
        .. Enum.GetValues<WebhookDeliveryStatus>().Select(status => Deliveries(
            $"Status {status}", status == WebhookDeliveryStatus.Delivered ? Page : 0, _ => new(Status: status))),
        Deliveries("EventType nothing", 0, _ => new(EventType: "task.nothing")),
        Deliveries("EventType rare", 1, _ => new(EventType: "alert.opened")),
        Deliveries("EventType of no kind", 0, _ => new(EventType: "nothing.*")),
        Deliveries("EventType of a rare kind", 1, _ => new(EventType: "alert.*")),
        Deliveries("CreatedAfter an hour ago", 0, now => new(CreatedAfter: now.AddHours(-1))),
        Deliveries("CreatedBefore all", 0, now => new(CreatedBefore: now.AddDays(-Longest))),
        new("deliveries to recover", "Since an hour ago", 0, (db, tenant, now) =>
            new DeliveryLog(db).RecoverAsync(tenant, tenant.Value, now.AddHours(-1), null, default)),
        Audit("Actor nobody", _ => new(Actor: "user:nobody")),
        Audit("Action nothing", _ => new(Action: "agent.deleted")),
        Audit("Action of no kind", _ => new(Action: "agent.*")),
        Audit("TargetKind nothing", _ => new(TargetKind: "agent")),
        Audit("TargetId nothing", _ => new(TargetId: "nothing")),
        Audit("From an hour ago", now => new(From: now.AddHours(-1))),
        Audit("To before all", now => new(To: now.AddDays(-Longest))),
        Agents("Kind rare", 1, AgentKind.OpenAi, null),
        Agents("Kind nothing", 0, AgentKind.Http, null),
        Agents("Name nobody", 0, null, "nobody"),
        .. Enum.GetValues<AlertStatus>().Select(status => new ListCase(
            "alerts", $"Status {status}", status == AlertStatus.Open ? 1 : Page,
            async (db, tenant, _) => (await new AlertStore(db, null!, TimeProvider.System)
                .ListAsync(tenant, status, null, Page, default)).Count)),
    ];

    public override string ToString() => $"{List} {Filter}".TrimEnd();

    private static ListCase Tasks(
        string name, int expected, Func<DateTime, TaskFilter> filter) => new(
        "tasks", name, expected,
        async (db, tenant, now) => (await new TaskStore(db, null!, TimeProvider.System)
            .ListAsync(tenant, filter(now), null, Page, default)).Tasks.Count);

    private static ListCase Workflows(
        string name, int expected, Func<TenantId, DateTime, WorkflowFilter> filter) => new(
        "workflows", name, expected,
        async (db, tenant, now) =>
            (await new WorkflowStore(db).ListAsync(tenant, filter(tenant, now), null, Page, default)).Count);

    private static ListCase Gates(string name, int expected) => new(
        "approvals", $"of {name}", expected,
        async (db, tenant, _) => (await new GateStore(db).WaitingForAsync(
            new Caller(CallerKind.User, name, tenant, Role.Approver), null, Page, default)).Count);

    private static ListCase Deliveries(string name, int expected, Func<DateTime, WebhookDeliveryFilter> filter) => new(
        "deliveries", name, expected,
        async (db, tenant, now) =>
            (await new DeliveryLog(db).ListAsync(tenant, tenant.Value, filter(now), null, Page, default)).Count);

    private static ListCase Audit(string name, Func<DateTime, AuditFilter> filter) => new("audit log", name, 0,
        async (db, tenant, now) =>
            (await new AuditStore(db).ListAsync(tenant, filter(now), null, Page, default)).Count);

    private static ListCase Agents(
        string name, int expected, AgentKind? kind, string? agent) => new("agents", name, expected,
        async (db, tenant, _) =>
            (await new AgentStore(db, null!).ListAsync(tenant, kind, agent, null, Page, default)).Count);
}
