namespace ViralEngine.Core.Webhooks;

/// <summary>How a message's id is written: <c>msg_</c> and its UUID in hexadecimal. It is the same in every attempt.</summary>
internal static class WebhookMessageId
{
    public static string ToText(Guid id) => $"msg_{id:n}";
}
