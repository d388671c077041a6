using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ViralEngine.Functions.Requests;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Requests;

/// <summary>
/// Valid requests on things that are there, with one value at a time at, just inside and just beyond each bound that
/// the API's own document gives. Never a 500; what is beyond is refused by its name, and a number that is within is
/// not.
/// </summary>
[Trait("Category", "BlackBox")]
public sealed class EdgeFuzzTests(ApiUnderTest api) : IClassFixture<ApiUnderTest>
{
    private static readonly string[] BeyondEveryBound =
    [
        "3000000000", "-3000000000", "9223372036854775808", "79228162514264337593543950336", "1e29", "1e308", "-1e308",
        "1e-300", "0.0000000001",
    ];

    private const string EveryStep =
        """
        {
          "steps": [
            { "id": "a", "type": "task", "agent_id": "echo", "description": "x", "retry": { "max_attempts": 2 },
              "rollback": { "type": "webhook", "url": "https://example.invalid/undo" } },
            { "id": "b", "type": "webhook", "url": "https://example.invalid/do",
              "rollback": { "type": "task", "agent_id": "echo", "description": "x" } },
            { "id": "c", "type": "parallel",
              "branches": [{ "steps": [{ "id": "d", "type": "delay", "seconds": 1 }] }] },
            { "id": "e", "type": "choice", "conditions": [
              { "type": "all", "conditions": [{ "type": "not", "condition": { "type": "boolean", "value": "x" } }],
                "steps": [] },
              { "type": "confidence", "value": "x", "min": 0 }, { "type": "numeric_range", "value": "x", "max": 1 },
              { "type": "text_match", "value": "x", "text": "y" },
              { "type": "regex_match", "value": "x", "pattern": "y" }] },
            { "id": "f", "type": "approval", "title": "x", "approvers": { "roles": ["approver"] },
              "timeout_seconds": 9, "on_timeout": "escalate",
              "escalation": { "roles": ["owner"], "timeout_seconds": 9 } }
          ]
        }
        """;

    public static TheoryData<string> Functions => [.. new EndpointCatalog().Api
        .Where(endpoint => endpoint.IsDocumented && endpoint.Allowed is not null && endpoint.Method.IsDefined(
            typeof(BodyAttribute), false))
        .Select(endpoint => endpoint.Function)];

    [Theory]
    [MemberData(nameof(Functions))]
    public async Task A_value_at_the_edge_of_its_bound_is_taken_or_refused_as_documented(string function)
    {
        using var tenant = await api.NewTenantAsync();
        using var platform = api.NewPlatformClient();
        var endpoint = new EndpointCatalog().Find(function)!;
        var client = endpoint.Function == "CreateOrganization" ? platform : tenant.Owner;
        var path = "/api/" + await ValidRequests.PathOfAsync(tenant, endpoint.Route);
        await TryEdgesAsync(
            client, endpoint, path, JsonSerializer.SerializeToNode(ValidRequests.BodyOf(endpoint))!.AsObject());
    }

    [Fact]
    public async Task A_value_in_a_definition_is_taken_or_refused_as_documented()
    {
        using var tenant = await api.NewTenantAsync();

        await TryEdgesAsync(
            tenant.Owner, new EndpointCatalog().Find("CreateWorkflow")!, "/api/workflows",
            JsonNode.Parse(EveryStep)!.AsObject());
    }

    private static async Task TryEdgesAsync(ApiClient client, Endpoint endpoint, string path, JsonObject valid)
    {
        var document = (await client.GetAsync("/api/openapi.json")).Expect(HttpStatusCode.OK).Json;
        var schema = SchemaOf(document, endpoint);

        foreach (var (at, property) in PropertiesOf(document, schema, valid))
        {
            foreach (var (value, isGood) in EdgesOf(property))
            {
                var body = valid.DeepClone().AsObject();
                Put(body, at, value);
                var answer = await SendAsync(client, endpoint, path, body);

                Assert.True((int)answer.Status < 500, $"{string.Join('.', at)} = {Short(value)}: {answer}");
                var faults = answer.Status == HttpStatusCode.BadRequest
                    ? answer.ExpectProblem(HttpStatusCode.BadRequest).Errors.Keys.ToList()
                    : [];
                var isNamed = faults.Any(fault => fault.StartsWith(NameOf(at), StringComparison.Ordinal)
                    // an item that cannot be read
                    || (fault.EndsWith(']') && NameOf(at).StartsWith(fault, StringComparison.Ordinal)));
                if (isGood is { } good)
                    Assert.True(
                        good != isNamed,
                        $"{NameOf(at)} = {Short(value)} should be {(good ? "taken" : "refused by name")}: {answer}");
            }
        }
    }

    private static JsonElement SchemaOf(JsonElement document, Endpoint endpoint)
    {
        var template = "/" + System.Text.RegularExpressions.Regex.Replace(
            endpoint.Route, "[A-Z]", letter => "_" + letter.Value.ToLowerInvariant());
        var content = document.GetProperty("paths").GetProperty(template).GetProperty(
            endpoint.Methods[0].ToLowerInvariant())
            .GetProperty("requestBody").GetProperty("content");
        return content.EnumerateObject()
            .First(media => media.Name.EndsWith("json", StringComparison.Ordinal)).Value.GetProperty("schema");
    }

    /// <summary>Every property with its place: of the body itself, and of what the valid body has inside.</summary>
    private static IEnumerable<(string[] At, JsonElement Schema)> PropertiesOf(
        JsonElement document, JsonElement schema, JsonObject valid)
    {
        if (!Resolve(document, schema, valid).TryGetProperty("properties", out var properties))
            yield break;
        foreach (var property in properties.EnumerateObject())
        {
            var own = Resolve(document, property.Value, valid[property.Name]);
            yield return ([property.Name], own);
            var inner = valid[property.Name] switch
            {
                JsonObject members => [((string[])[property.Name], members, own)],
                JsonArray items when own.TryGetProperty("items", out var each) =>
                    items.Select((item, index) => ((string[])[property.Name, $"{index}"], item as JsonObject, each)),
                _ => [],
            };
            foreach (var (place, value, below) in inner.Where(each => each.Item2 is not null))
            {
                foreach (var (at, deeper) in PropertiesOf(document, below, value!))
                    yield return ([.. place, .. at], deeper);
            }
        }
    }

    /// <summary>Values with whether they are good; null: what the document says does not decide it.</summary>
    private static IEnumerable<(string Value, bool? IsGood)> EdgesOf(JsonElement schema)
    {
        var type = TypeOf(schema);
        yield return (type == "string" ? "7" : "\"text\"", type is null or "null" ? null : false);
        if (type is "integer" or "number")
        {
            foreach (var (bound, beyond) in new[] { ("minimum", -1m), ("maximum", 1m) })
            {
                if (!schema.TryGetProperty(bound, out var edge) || !edge.TryGetDecimal(out var number))
                    continue;
                yield return (Text(number), true);
                yield return (Text(number) + ".0", true);
                yield return (Text(number + beyond), false);
                yield return (Text(number + (beyond / 10)), false);
            }

            foreach (var value in BeyondEveryBound)
                yield return (value, schema.TryGetProperty("maximum", out _) && type == "integer" ? false : null);
        }
        else if (type == "string")
        {
            if (schema.TryGetProperty("maxLength", out var longest))
            {
                yield return (Quoted(new string('x', longest.GetInt32())), null);
                yield return (Quoted(new string('x', longest.GetInt32() + 1)), false);
                yield return (Quoted(new string('x', longest.GetInt32() - 1) + "😀"), false);
            }

            if (schema.TryGetProperty("minLength", out var shortest) && shortest.GetInt32() > 0)
                yield return ("\"\"", false);
            yield return ("\"a\\u0000b\"", false);
            yield return ("\"\\ud83d\"", false);
        }
        else if (type == "array" && schema.TryGetProperty("maxItems", out var most))
        {
            yield return ($"[{string.Join(',', Enumerable.Repeat("null", most.GetInt32() + 1))}]", false);
        }
        else if (type == "object")
        {
            yield return ("{\"a\":1e999999}", false);
            yield return ("{\"a\":\"\\u0000\"}", false);
        }
    }

    private static string? TypeOf(JsonElement schema) => !schema.TryGetProperty("type", out var type) ? null
        : type.ValueKind == JsonValueKind.Array ? type.EnumerateArray().Select(each => each.GetString())
            .FirstOrDefault(each => each != "null")
        : type.GetString();

    /// <summary>
    /// What a schema says of a value: past references and null, as the kind that the value says that it is.
    /// </summary>
    private static JsonElement Resolve(JsonElement document, JsonElement schema, JsonNode? value)
    {
        if (schema.TryGetProperty("$ref", out var reference))
            return Resolve(document, At(document, reference.GetString()!), value);
        if (schema.TryGetProperty("discriminator", out var discriminator) && value is JsonObject kind
            && kind[discriminator.GetProperty("propertyName").GetString()!] is JsonValue word)
        {
            return Resolve(
                document, At(document, discriminator.GetProperty("mapping").GetProperty((string)word!).GetString()!),
                value);
        }

        if (schema.TryGetProperty("allOf", out var parts))
        {
            var all = parts.EnumerateArray().Select(part => Resolve(document, part, value)).Append(schema)
                .SelectMany(part => part.GetProperty("properties").EnumerateObject());
            return JsonSerializer.SerializeToElement(
                new { properties = all.ToDictionary(each => each.Name, each => each.Value) });
        }

        return schema.TryGetProperty("oneOf", out var several) && !schema.TryGetProperty("discriminator", out _)
            ? Resolve(document, several[0], value)
            : schema;
    }

    private static JsonElement At(JsonElement document, string reference) =>
        reference[2..].Split('/').Aggregate(document, (node, name) => node.GetProperty(name));

    private static void Put(JsonObject body, string[] at, string value)
    {
        JsonNode target = body;
        foreach (var name in at[..^1])
            target = target is JsonArray items ? items[int.Parse(name, CultureInfo.InvariantCulture)]! : target[name]!;
        // As it is written: a node would lose what no number of ours can hold.
        target[at[^1]] = Marker + value;
    }

    private const string Marker = "raw:";

    private static string NameOf(string[] at) =>
        at.Aggregate((path, name) => char.IsDigit(name[0]) ? $"{path}[{name}]" : $"{path}.{name}");

    private static string Short(string value) =>
        value.Length <= 60 ? value : $"{value[..60]}… ({value.Length} characters)";

    private static string Text(decimal number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Quoted(string text) => $"\"{text}\"";

    private static async Task<ApiResponse> SendAsync(ApiClient client, Endpoint endpoint, string path, JsonObject body)
    {
        var json = Write(body);
        var query = endpoint.Function == "RecoverWebhook" ? "?since=2026-01-01T00:00:00Z" : "";
        using var request = new HttpRequestMessage(new HttpMethod(endpoint.Methods[0]), path + query)
        {
            Content = new StringContent(json, Encoding.UTF8, "application/json"),
        };
        return await client.SendAsync(request);
    }

    private static string Write(JsonNode? node) => node switch
    {
        null => "null",
        JsonObject members =>
            $"{{{string.Join(
                ',', members.Select(member => $"{JsonSerializer.Serialize(member.Key)}:{Write(member.Value)}"))}}}",
        JsonArray items => $"[{string.Join(',', items.Select(Write))}]",
        JsonValue value when value.TryGetValue<string>(out var text) && text.StartsWith(
            Marker, StringComparison.Ordinal) => text[Marker.Length..],
        _ => node.ToJsonString(),
    };
}
