using System.Text.Json.Nodes;

namespace ViralEngine.Functions.Requests;

/// <summary>A custom validation rule that can be expressed in JSON Schema.</summary>
internal interface ISchemaRule
{
    void Describe(JsonObject schema);
}
