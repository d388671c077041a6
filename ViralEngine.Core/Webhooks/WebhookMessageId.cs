namespace ViralEngine.Core.Webhooks;

/// <summary>
/// The text form of a message's id: <c>msg_</c> and its UUID in hexadecimal. The same in every attempt.
/// </summary>
internal static class WebhookMessageId
{
    public static string ToText(Guid id) => $"msg_{id:n}";
}
