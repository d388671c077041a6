using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ViralEngine.Functions.Requests;

/// <summary>Any JSON object, as long as its text has no more characters than <paramref name="most"/>.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class JsonObjectAttribute(int most) : ValidationAttribute(
    $"Must be an object of at most {most.ToString("N0", CultureInfo.InvariantCulture)} characters."), ISchemaRule
{
    public int Most { get; } = most;

    public override bool IsValid(object? value) =>
        value is not JsonElement json || (json.ValueKind == JsonValueKind.Object && json.GetRawText().Length <= Most);

    public void Describe(JsonObject schema)
    {
        schema["type"] = "object";
        schema["additionalProperties"] = true;
    }
}
