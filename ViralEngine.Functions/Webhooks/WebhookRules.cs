using System.ComponentModel.DataAnnotations;
using ViralEngine.Core.Events;
using ViralEngine.Core.Fields;
using ViralEngine.Core.Outgoing;
using ViralEngine.Core.Webhooks;

namespace ViralEngine.Functions.Webhooks;

/// <summary>Rules for creating and changing an endpoint.</summary>
internal static class WebhookRules
{
    public static void CheckUrl(string url, UrlPolicy urls, FieldErrors errors)
    {
        if (urls.Check(url) is { } fault)
            errors.Add("url", fault);
    }

    /// <summary>
    /// Whether headers given for one origin (RFC 6454) would be sent to another. They may contain credentials.
    /// </summary>
    public static bool WouldTakeHeadersElsewhere(WebhookEndpoint before, WebhookChange change) =>
        change is { Url: { } url, Headers: null } && before.HeaderNames.Count > 0
        && !string.Equals(OriginOf(url), OriginOf(before.Url), StringComparison.OrdinalIgnoreCase);

    private static string OriginOf(string url) => new Uri(url).GetLeftPart(UriPartial.Authority);

    public static void CheckHeaders(Dictionary<string, string> headers, FieldErrors errors)
    {
        if (headers.Count > WebhookHeaders.MaxCount)
            errors.Add("headers", $"Must have at most {WebhookHeaders.MaxCount}.");
        if (headers.Keys.Distinct(StringComparer.OrdinalIgnoreCase).Count() < headers.Count)
            errors.Add("headers", "Must not list a header twice.");
        foreach (var (name, value) in headers)
        {
            if (WebhookHeaders.Check(name, value) is { } rule)
                errors.Add($"headers.{name}", rule);
        }
    }
}

/// <summary>Event types or patterns of them.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class EventTypePatternsAttribute() : ValidationAttribute(
    $"Each must be *, a kind ({string.Join(", ", EventTypes.Kinds.Select(kind => kind + ".*"))}) "
    + "or an event type such as task.completed. The API reference lists them under EventType.")
{
    public override bool IsValid(object? value) =>
        value is not string[] patterns || patterns.All(
            pattern => pattern is not null && WebhookEventTypes.IsPattern(pattern));
}

/// <summary>A secret in the format of Standard Webhooks.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class WebhookSecretTextAttribute()
    : ValidationAttribute("Must be whsec_ followed by base64 of 24 to 64 bytes.")
{
    public override bool IsValid(object? value) => value is not string secret || WebhookSecret.IsValid(secret);
}
