using System.Text.Json.Nodes;

namespace ViralEngine.Core.Audit;

/// <summary>
/// Removes secrets from audit log entries, by field names and generously: a secret that the API shows once, such as a
/// new key, must not be readable in the log for a year.
/// </summary>
public static class AuditRedaction
{
    public const string Mark = "[redacted]";

    private static readonly HashSet<string> Names = new(StringComparer.OrdinalIgnoreCase)
    {
        "secret", "key", "token", "password", "authorization", "cookie", "credential", "api_key",
    };

    private static readonly string[] Endings = ["_secret", "_key", "_token", "_password"];

    /// <summary>Redacts the node in place.</summary>
    public static void Redact(JsonNode? node)
    {
        if (node is JsonArray array)
        {
            foreach (var item in array)
                Redact(item);
        }
        else if (node is JsonObject fields)
        {
            foreach (var (name, value) in fields.ToList())
            {
                if (value is JsonValue text && text.TryGetValue<string>(out var held))
                    fields[name] = Redact(name, held);
                else if (name.EndsWith("headers", StringComparison.OrdinalIgnoreCase) && value is JsonObject headers)
                    Blank(headers);
                else
                    Redact(value);
            }
        }
    }

    private static string Redact(string name, string value)
    {
        if (Names.Contains(name) || Endings.Any(ending => name.EndsWith(ending, StringComparison.OrdinalIgnoreCase)))
            return Mark;
        // URL queries often contain tokens.
        return name.EndsWith("url", StringComparison.OrdinalIgnoreCase)
            && value.IndexOf('?', StringComparison.Ordinal) is >= 0 and var query
            ? value[..(query + 1)] + Mark
            : value;
    }

    private static void Blank(JsonObject headers)
    {
        foreach (var (name, _) in headers.ToList())
            headers[name] = Mark;
    }
}
