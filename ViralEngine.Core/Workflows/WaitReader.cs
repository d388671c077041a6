using System.Globalization;
using ViralEngine.Core.Fields;

namespace ViralEngine.Core.Workflows;

/// <summary>Reads approval and delay steps.</summary>
internal sealed class WaitReader(DefinitionTexts texts)
{
    private const int Year = 366 * 24 * 3600;
    private static readonly string[] Deciders = ["approver", "operator", "admin", "owner"];

    private static readonly Dictionary<string, TimeoutAction> OnTimeout = new()
    {
        ["reject"] = TimeoutAction.Reject,
        ["approve"] = TimeoutAction.Approve,
        ["escalate"] = TimeoutAction.Escalate,
    };

    private static readonly Dictionary<string, TimeoutAction> OnLastTimeout = new()
    {
        ["reject"] = TimeoutAction.Reject,
        ["approve"] = TimeoutAction.Approve,
    };

    private static readonly Dictionary<string, bool> OnReject = new() { ["fail"] = false, ["continue"] = true };

    public DelayStep ReadDelay(FieldReader json, string id, string? name)
    {
        var seconds = json.Integer("seconds", 0, Year);
        var until = texts.Read(json, "until", most: 500);
        if (json.Value("seconds") is null == json.Value("until") is null)
            json.Fail("seconds", "Give either seconds or until.");
        if (until is { IsConstant: true } && !DelayTime.TryParse(until.Source, out _))
            json.Fail("until", DelayTime.Rule);
        return new DelayStep(id, name, json.Path, null, seconds, until);
    }

    public ApprovalStep? ReadApproval(FieldReader json, string id, string? name)
    {
        var title = texts.Read(json, "title", required: true, most: 500);
        var message = texts.Read(json, "message");
        var approvers = json.Object("approvers");
        json.Require("approvers", approvers);
        var who = approvers is null ? new Approvers([], []) : ReadApprovers(approvers);
        approvers?.RefuseOthers("Unknown field.");
        var quorum = json.Integer("quorum", 1, 50) ?? 1;
        var rejectQuorum = json.Integer("reject_quorum", 1, 50) ?? 1;
        if (who is { Roles.Count: 0, Users.Count: > 0 } && who.Users.Count < quorum && json.Value("escalation") is null)
            json.Fail("quorum", "Must not exceed the number of users who may decide.");
        var excludeRequester = json.Flag("exclude_requester");
        var timeout = json.Integer("timeout_seconds", 1, Year);
        var onTimeout = json.Choice("on_timeout", OnTimeout) ?? TimeoutAction.Reject;
        if (json.Value("on_timeout") is not null && timeout is null)
            json.Fail("timeout_seconds", "Is required with on_timeout.");
        var escalation = json.Object("escalation") is { } next ? ReadEscalation(next) : null;
        if ((onTimeout == TimeoutAction.Escalate) != (json.Value("escalation") is not null))
            json.Fail("escalation", "Is required with on_timeout escalate, and not allowed otherwise.");
        var reminder = json.Integer("reminder_seconds", 1, Year);
        var continueOnReject = json.Choice("on_reject", OnReject) ?? false;
        return title is null
            ? null
            : new ApprovalStep(
                id, name, json.Path, null, title, message, who, quorum, rejectQuorum, excludeRequester, timeout,
                onTimeout,
                escalation, reminder, continueOnReject);
    }

    private static Escalation ReadEscalation(FieldReader json)
    {
        var who = ReadApprovers(json);
        var timeout = json.Integer("timeout_seconds", 1, Year);
        json.Require("timeout_seconds", timeout);
        var onTimeout = json.Choice("on_timeout", OnLastTimeout) ?? TimeoutAction.Reject;
        json.RefuseOthers("Unknown field.");
        return new Escalation(who.Roles, who.Users, timeout ?? 1, onTimeout);
    }

    private static Approvers ReadApprovers(FieldReader json)
    {
        var roles = json.Texts("roles", 5, 20) ?? [];
        foreach (var (index, role) in roles.Index())
        {
            if (!Deciders.Contains(role))
                json.Fail(
                    string.Create(CultureInfo.InvariantCulture, $"roles[{index}]"),
                    $"Must be one of {string.Join(", ", Deciders)}.");
        }

        var users = json.Texts("users", 50, 300) ?? [];
        if (json.Value("roles") is null && json.Value("users") is null)
            json.Fail("roles", "Either roles or users is required.");
        else if (roles.Count + users.Count == 0)
            json.Fail("roles", "Must name at least one approver.");
        return new Approvers([.. roles.Distinct()], [.. users.Distinct()]);
    }
}
