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
          "bounded": {
            "type": "object",
            "maxProperties": 3,
            "properties": {
              "text": { "type": "string", "minLength": 1, "maxLength": 2, "pattern": "^[a-z]" },
              "size": { "type": "number", "format": "decimal", "minimum": 0, "maximum": 9.5 },
              "items": { "type": "array", "minItems": 1, "maxItems": 2 }
            }
          },
          "pet": {
            "oneOf": [{ "$ref": "#/cat" }, { "$ref": "#/dog" }],
            "discriminator": { "propertyName": "kind", "mapping": { "cat": "#/cat", "dog": "#/dog" } }
          },
          "named": { "type": "object", "properties": { "name": { "type": "string" } } },
          "cat": {
            "allOf": [
              { "$ref": "#/named" },
              { "type": "object", "required": ["lives"], "properties": { "kind": {}, "lives": { "type": "integer" } } }
            ]
          },
          "dog": { "type": "object", "properties": { "kind": {} }, "allOf": [{ "$ref": "#/named" }] },
          "odd": { "type": "string", "uniqueItems": true },
          "odd_format": { "format": "ipv4" }
        }
        """;

    private const string Id = "\"id\": \"019ad3a5-9f0e-7c44-9d8c-1f6f7f6b8f10\"";

    [Theory]
    [InlineData("")]
    [InlineData(
        ", \"ended_at\": null, \"attempt\": 1.0, \"parent\": null, \"tags\": [], \"metadata\": {}, "
        + "\"input\": [1], \"cost\": 0.5")]
    [InlineData(", \"ended_at\": \"2030-01-31T12:00:00.1Z\", \"tags\": [\"a\"], \"metadata\": { \"a\": \"b\" }")]
    [InlineData(", \"parent\": { " + Id + ", \"status\": \"failed\" }")]
    public void Accepts_what_fits(string more) =>
        Assert.Empty(Check("task", $"{{ {Id}, \"status\": \"pending\"{more} }}"));

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
    [InlineData("{ \"text\": \"a😀\", \"size\": 9.5, \"items\": [1] }", null)]
    [InlineData("{ \"text\": \"\" }", "/text")]
    [InlineData("{ \"text\": \"abc\" }", "/text")]
    [InlineData("{ \"text\": \"A\" }", "/text")]
    [InlineData("{ \"size\": -0.1 }", "/size")]
    [InlineData("{ \"size\": 9.6 }", "/size")]
    [InlineData("{ \"items\": [] }", "/items")]
    [InlineData("{ \"items\": [1, 2, 3] }", "/items")]
    [InlineData("{ \"a\": 1, \"b\": 2, \"c\": 3, \"d\": 4 }", "")]
    public void Keeps_bounds(string json, string? at) => Assert.Equal(at, Check("bounded", json).FirstOrDefault()?.At);

    [Theory]
    [InlineData("{ \"kind\": \"cat\", \"name\": \"Mia\", \"lives\": 9 }", null)]
    [InlineData("{ \"kind\": \"dog\", \"name\": \"Rex\" }", null)]
    [InlineData("{ \"kind\": \"cat\", \"name\": \"Mia\" }", "")]
    [InlineData("{ \"kind\": \"dog\", \"name\": 7 }", "/name")]
    [InlineData("{ \"kind\": \"dog\", \"lives\": 9 }", "/lives")]
    public void Takes_the_kind_that_the_value_names_and_knows_the_members_of_all_parts(string json, string? at) =>
        Assert.Equal(at, Check("pet", json, isClosed: true).FirstOrDefault()?.At);

    [Theory]
    [InlineData("odd")]
    [InlineData("odd_format")]
    public void Does_not_pass_over_rules_that_it_does_not_know(string schema) =>
        Assert.Throws<NotSupportedException>(() => Check(schema, "\"abc\""));

    private static List<SchemaFault> Check(string schema, string json, bool isClosed = false)
    {
        var document = JsonDocument.Parse(Document).RootElement;
        return [.. new JsonSchema(document, isClosed).Check(
            document.GetProperty(schema), JsonDocument.Parse(json).RootElement)];
    }
}
