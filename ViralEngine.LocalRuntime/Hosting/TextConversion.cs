using System.Globalization;
using System.Text.Json;

namespace ViralEngine.LocalRuntime.Hosting;

/// <summary>Makes values out of the text of a route or a query. Numbers and booleans are read as JSON, as the worker
/// does: <c>true</c> is one, <c>True</c> is not.</summary>
internal static class TextConversion
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNameCaseInsensitive = true };

    /// <summary>A converter that gives null for text that does not fit.</summary>
    public static Func<string, object?> To(Type type)
    {
        var target = Nullable.GetUnderlyingType(type) ?? type;
        if (target == typeof(string) || target == typeof(object))
            return static text => text;
        if (target == typeof(Guid))
            return static text => Guid.TryParse(text, out var id) ? id : null;
        if (target == typeof(DateTime))
            return static text => DateTime.TryParse(
                text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal, out var time) ? time : null;
        if (target == typeof(DateTimeOffset))
            return static text => DateTimeOffset.TryParse(
                text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
        return text => FromJson(text, target);
    }

    private static object? FromJson(string text, Type type)
    {
        try
        {
            return JsonSerializer.Deserialize(text, type, Json);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
