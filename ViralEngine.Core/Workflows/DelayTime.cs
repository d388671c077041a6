using ViralEngine.Core.Texts;

namespace ViralEngine.Core.Workflows;

/// <summary>The time until which a delay waits: RFC 3339 with an offset.</summary>
internal static class DelayTime
{
    public const string Rule = "Must be an RFC 3339 time, such as 2030-01-31T12:00:00Z.";

    public static bool TryParse(string text, out DateTime utc) => Rfc3339.TryParse(text.Trim(), out utc);
}
