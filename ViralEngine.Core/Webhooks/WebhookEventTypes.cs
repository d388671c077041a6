using ViralEngine.Core.Events;

namespace ViralEngine.Core.Webhooks;

/// <summary>
/// The event types that an endpoint may subscribe to: <c>*</c>, all events of a kind (<c>task.*</c>), or one
/// (<c>task.completed</c>).
/// </summary>
public static class WebhookEventTypes
{
    public static bool IsPattern(string text) =>
        text == "*" || EventTypes.All.Contains(text)
        || (text.EndsWith(".*", StringComparison.Ordinal) && EventTypes.Kinds.Contains(text[..^2]));
}
