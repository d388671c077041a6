using System.Text.Json.Nodes;

namespace ViralEngine.Functions.Requests;

/// <summary>A validation rule of our own that can say in JSON Schema what it demands of its field.</summary>
internal interface ISchemaRule
{
    void Describe(JsonObject schema);
}
