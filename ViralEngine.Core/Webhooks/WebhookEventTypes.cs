using System.Text.RegularExpressions;

namespace ViralEngine.Core.Webhooks;

/// <summary>
/// The event types that an endpoint may subscribe to: <c>*</c>, all events of a kind (<c>task.*</c>), or one (<c>task.completed</c>).
/// </summary>
public static partial class WebhookEventTypes
{
    /// <summary>The kinds of events.</summary>
    public static readonly IReadOnlyList<string> Kinds = ["task", "batch", "workflow", "approval", "alert", "webhook"];

    /// <summary>The type of test messages, which are sent regardless of subscriptions.</summary>
    public const string Test = "webhook.test";

    public static bool IsPattern(string text) =>
        text == "*" || (Shape().IsMatch(text) && Kinds.Contains(text[..text.IndexOf('.', StringComparison.Ordinal)]));

    [GeneratedRegex(@"^[a-z]{1,20}\.(\*|[a-z][a-z_]{0,40}(\.[a-z_]{1,40})?)\z", RegexOptions.NonBacktracking)]
    private static partial Regex Shape();
}
