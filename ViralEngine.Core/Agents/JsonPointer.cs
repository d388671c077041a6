using System.Globalization;
using System.Text.Json;

namespace ViralEngine.Core.Agents;

/// <summary>Finds a value in a JSON document: RFC 6901.</summary>
internal static class JsonPointer
{
    public static bool IsValid(string pointer)
    {
        if (pointer.Length > 0 && pointer[0] != '/')
            return false;
        for (var i = pointer.IndexOf('~'); i >= 0; i = pointer.IndexOf('~', i + 1))
        {
            if (i + 1 == pointer.Length || pointer[i + 1] is not ('0' or '1'))
                return false;
        }

        return true;
    }

    public static JsonElement? Find(JsonElement document, string pointer)
    {
        var value = document;
        foreach (var token in pointer.Split('/').Skip(1))
        {
            var name = token.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (value.ValueKind == JsonValueKind.Object && value.TryGetProperty(name, out var member))
                value = member;
            else if (value.ValueKind == JsonValueKind.Array
                && int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
                && index < value.GetArrayLength())
                value = value[index];
            else
                return null;
        }

        return value;
    }
}
