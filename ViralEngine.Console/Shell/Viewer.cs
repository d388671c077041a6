using ViralEngine.Core.Organizations;

namespace ViralEngine.Console.Shell;

/// <summary>Who views a page, and how.</summary>
/// <param name="Caller">Null if nobody is signed in.</param>
/// <param name="Organization">The name of the caller's organization; null if unknown.</param>
/// <param name="FormToken">The token in forms, so that other sites cannot submit them in the caller's name.</param>
/// <param name="Path">The page's own path.</param>
/// <param name="Theme"><c>light</c> or <c>dark</c>; null for the system's.</param>
/// <param name="Origin">The address of the app, for examples to copy.</param>
/// <param name="Notice">The notice to show, as a word of <see cref="Notices"/>.</param>
public sealed record Viewer(
    Caller? Caller, string? Organization, string FormToken, string Path, string? Theme, string Origin, string? Notice)
{
    /// <summary>Whether to show what requires one of these roles. The endpoint enforces it.</summary>
    public bool May(Role roles) => Caller is { } caller && (caller.Role & roles) != 0;
}

/// <summary>
/// What a page says after a form was accepted. Addresses carry only the word, so that they cannot put text on a page.
/// </summary>
public static class Notices
{
    public static string? Text(string? word) => word switch
    {
        "submitted" => "The task was submitted.",
        "cancelled" => "The task is being cancelled.",
        "retried" => "The task will run again.",
        "approved" => "Your approval was recorded.",
        "rejected" => "Your rejection was recorded.",
        "batch-submitted" => "The batch was submitted.",
        "batch-cancelled" => "The batch is being cancelled.",
        "batch-retried" => "The failed items will run again.",
        "workflow-started" => "The workflow was started.",
        "workflow-cancelled" => "The workflow is being cancelled.",
        "workflow-retried" => "The workflow is running again from that step.",
        "webhook-tested" => "The test message was sent. See the result below.",
        "webhook-enabled" => "The endpoint was enabled.",
        "webhook-disabled" => "The endpoint was disabled.",
        "webhook-recovered" => "The failed messages are being sent again.",
        "webhook-redelivered" => "The message is being sent again.",
        "webhook-deleted" => "The endpoint was deleted.",
        "agent-created" => "The agent was created. Test it before you send it work.",
        "agent-changed" => "The agent was saved.",
        "agent-deleted" => "The agent was deleted.",
        "rule-created" => "The rule was created. It is evaluated at the end of every minute.",
        "rule-changed" => "The rule was saved.",
        "rule-deleted" => "The rule was deleted. Its open alerts are resolved within two minutes.",
        "budget-set" => "The budget was saved.",
        "member-invited" => "The person was invited.",
        "member-changed" => "The role was changed.",
        "member-removed" => "The member was removed, and the keys they created were revoked.",
        "key-revoked" => "The key was revoked.",
        "alert-acknowledged" => "The alert was acknowledged.",
        "alert-resolved" => "The alert was resolved.",
        "alert-muted" => "The alert is muted.",
        "invitation-accepted" => "You are now a member of this organization.",
        "invitation-declined" => "The invitation was declined.",
        "switched" => "You switched organizations.",
        _ => null,
    };
}
