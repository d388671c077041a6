using System.Text.Json;

namespace ViralEngine.Testing.Tests;

/// <summary>What the answers of all other tests are checked with: it must refuse what it should.</summary>
public sealed class JsonSchemaTests
{
    private const string Document =
        """
        {
          "task": {
            "type": "object",
            "required": ["id", "status"],
            "properties": {
              "id": { "type": "string", "format": "uuid" },
              "status": { "type": "string", "enum": ["pending", "failed"] },
              "ended_at": { "type": ["string", "null"], "format": "date-time" },
              "attempt": { "type": "integer", "format": "int32" },
              "parent": { "anyOf": [{ "$ref": "#/task" }, { "type": "null" }] },
              "tags": { "type": "array", "items": { "type": "string" } },
              "metadata": { "type": "object", "additionalProperties": { "type": "string" } },
              "cost": { "type": "number", "description": "In dollars." },
              "input": true
            },
            "additionalProperties": false
          },
          "odd": { "type": "string", "minLength": 3 },
          "odd_format": { "format": "ipv4" }
        }
        """;

    private const string Id = "\"id\": \"019ad3a5-9f0e-7c44-9d8c-1f6f7f6b8f10\"";

    [Theory]
    [InlineData("")]
    [InlineData(", \"ended_at\": null, \"attempt\": 1.0, \"parent\": null, \"tags\": [], \"metadata\": {}, \"input\": [1], \"cost\": 0.5")]
    [InlineData(", \"ended_at\": \"2030-01-31T12:00:00.1Z\", \"tags\": [\"a\"], \"metadata\": { \"a\": \"b\" }")]
    [InlineData(", \"parent\": { " + Id + ", \"status\": \"failed\" }")]
    public void Accepts_what_fits(string more) => Assert.Empty(Check("task", $"{{ {Id}, \"status\": \"pending\"{more} }}"));

    [Theory]
    [InlineData("[]", "")]
    [InlineData("null", "")]
    [InlineData("{ " + Id + " }", "")]
    [InlineData("{ " + Id + ", \"status\": \"Pending\" }", "/status")]
    [InlineData("{ \"id\": \"7\", \"status\": \"failed\" }", "/id")]
    [InlineData("{ " + Id + ", \"status\": \"failed\", \"ended_at\": \"2030-01-31\" }", "/ended_at")]
    [InlineData("{ " + Id + ", \"status\": \"failed\", \"ended_at\": \"2030-01-31T12:00:00\" }", "/ended_at")]
    [InlineData("{ " + Id + ", \"status\": \"failed\", \"attempt\": 1.5 }", "/attempt")]
    [InlineData("{ " + Id + ", \"status\": \"failed\", \"attempt\": 3000000000 }", "/attempt")]
    [InlineData("{ " + Id + ", \"status\": \"failed\", \"attempt\": \"1\" }", "/attempt")]
    [InlineData("{ " + Id + ", \"status\": \"failed\", \"parent\": {} }", "/parent")]
    [InlineData("{ " + Id + ", \"status\": \"failed\", \"tags\": [\"a\", 2] }", "/tags/1")]
    [InlineData("{ " + Id + ", \"status\": \"failed\", \"metadata\": { \"a/b\": null } }", "/metadata/a~1b")]
    [InlineData("{ " + Id + ", \"status\": \"failed\", \"cost\": \"0.5\" }", "/cost")]
    [InlineData("{ " + Id + ", \"status\": \"failed\", \"secret\": 1 }", "/secret")]
    public void Says_where_a_value_does_not_fit(string json, string at) =>
        Assert.Equal(at, Assert.Single(Check("task", json).Select(fault => fault.At).Distinct()));

    [Theory]
    [InlineData("odd")]
    [InlineData("odd_format")]
    public void Does_not_pass_over_rules_that_it_does_not_know(string schema) =>
        Assert.Throws<NotSupportedException>(() => Check(schema, "\"abc\""));

    private static List<SchemaFault> Check(string schema, string json)
    {
        var document = JsonDocument.Parse(Document).RootElement;
        return [.. new JsonSchema(document).Check(document.GetProperty(schema), JsonDocument.Parse(json).RootElement)];
    }
}
