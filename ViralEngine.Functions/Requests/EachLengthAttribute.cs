using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;

namespace ViralEngine.Functions.Requests;

/// <summary>The length of each text in an array, from 1 character.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class EachLengthAttribute(int most) : ValidationAttribute(
    $"Each must have 1 to {most} characters."), ISchemaRule
{
    public int Most { get; } = most;

    public override bool IsValid(object? value) =>
        value is not string[] texts || texts.All(text => text?.Length is > 0 && text.Length <= Most);

    public void Describe(JsonObject schema)
    {
        schema["items"]!["minLength"] = 1;
        schema["items"]!["maxLength"] = Most;
    }
}
