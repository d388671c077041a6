using System.Text.Json;
using System.Text.RegularExpressions;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Agents.OpenAi;
using ViralEngine.Core.Events;
using ViralEngine.Core.Workflows;
using ViralEngine.Functions.OpenApi;
using ViralEngine.Functions.Requests;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.OpenApi;

/// <summary>What generators and people count on in the API's document, beside what a linter knows.</summary>
public sealed partial class DocumentTests
{
    private static readonly JsonElement Document =
        JsonSerializer.SerializeToElement(ApiDocument.Build(new EndpointCatalog(), "https://api.example.com"));

    /// <summary>
    /// How an operation's id begins, by its method: what is done to one thing, or a word of the path.
    /// </summary>
    private static readonly Dictionary<string, string[]> Verbs = new()
    {
        ["get"] = ["get", "list", "stream"],
        ["put"] = ["replace"],
        ["patch"] = ["change"],
        ["delete"] = ["delete"],
        ["post"] = ["create", "use"],
    };

    private static IEnumerable<(string Path, string Method, JsonElement Operation)> Operations =>
        from path in Document.GetProperty("paths").EnumerateObject()
        from method in path.Value.EnumerateObject()
        select (path.Name, method.Name, method.Value);

    [Fact]
    public void An_operations_id_begins_with_the_verb_of_its_method_or_of_its_path()
    {
        Assert.All(Operations, each =>
        {
            var verb = Verb().Match(each.Operation.GetProperty("operationId").GetString()!).Value;
            var last = each.Path.Split('/').Last(part => !part.StartsWith('{')).Split('-')[0];
            Assert.True(
                Verbs[each.Method].Contains(verb) || (each.Method == "post" && verb == last),
                $"{each.Method} {each.Path} is called {verb}…");
        });
    }

    [Fact]
    public void Every_operation_tells_of_an_answer_that_the_caller_is_at_fault_for(
        ) => Assert.All(Operations, each => Assert.Contains(
        each.Operation.GetProperty("responses").EnumerateObject(), answer => answer.Name.StartsWith('4')));

    [Fact]
    public void Every_change_by_patch_takes_merge_patches() => Assert.All(
        Operations.Where(each => each.Method == "patch"),
        each => Assert.Equal(
            ["application/merge-patch+json"],
            each.Operation.GetProperty("requestBody").GetProperty("content").EnumerateObject()
                .Select(media => media.Name)));

    [Fact]
    public void Every_body_has_an_example_that_is_as_its_schema_says()
    {
        var schemas = new JsonSchema(Document, isClosed: true);
        var bodies = MediaIn(Document.GetProperty("paths")).Concat(MediaIn(Document.GetProperty("webhooks")))
            .Concat(MediaIn(Document.GetProperty("components").GetProperty("responses"))).ToList();

        Assert.True(bodies.Count > 150);
        Assert.All(bodies, body =>
        {
            var examples = body.Media.TryGetProperty("examples", out var several)
                ? [.. several.EnumerateObject().Select(each => each.Value.GetProperty("value"))]
                : body.Media.TryGetProperty("example", out var one) ? new[] { one } : [];
            Assert.True(examples.Length > 0, $"{body.At} has no example.");
            Assert.All(
                examples,
                example => Assert.Empty(
                    schemas.Check(body.Media.GetProperty("schema"), example)
                        .Select(fault => $"{body.At}{fault.At}: {fault.Rule}")));
        });
    }

    [Fact]
    public void Words_that_a_text_may_be_are_listed_once()
    {
        var lists = new Dictionary<string, string>();
        Assert.All(EnumsIn(Document, "#"), list =>
        {
            var words = string.Join(' ', list.Words);
            Assert.True(
                lists.TryAdd(words, list.At), $"{list.At} and {lists.GetValueOrDefault(words)} list the same words.");
        });
    }

    [Fact]
    public void Free_objects_say_so() => Assert.All(
        ObjectsIn(Document.GetProperty("components").GetProperty("schemas"), "#"),
        schema => Assert.True(
            schema.Value.TryGetProperty(
                "properties", out _) || schema.Value.TryGetProperty("additionalProperties",
                out _), $"{schema.At} is an object of nothing."));

    [Fact]
    public void Money_and_counts_have_formats() => Assert.All(
        NumbersIn(Document.GetProperty("components"), "#"),
        number =>
        {
            Assert.True(number.Value.TryGetProperty("format", out var format), $"{number.At} has no format.");
            if (number.At.EndsWith("_usd", StringComparison.Ordinal))
                Assert.Equal("decimal", format.GetString());
            if (number.At.EndsWith("_tokens", StringComparison.Ordinal)
                && !number.At.EndsWith("max_output_tokens", StringComparison.Ordinal))
                Assert.Equal("int64", format.GetString());
        });

    [Fact]
    public void The_server_and_the_contact_are_absolute()
    {
        Assert.Equal("https://api.example.com/api", Document.GetProperty("servers")[0].GetProperty("url").GetString());
        Assert.Equal(
            "https://api.example.com/api/docs",
            Document.GetProperty("info").GetProperty("contact").GetProperty("url").GetString());
        Assert.True(
            Document.GetProperty("components").GetProperty("schemas").GetProperty("Problem").GetProperty("properties")
                .GetProperty("detail").GetProperty("x-ms-primary-error-message").GetBoolean());
    }

    [Fact]
    public void Written_words_are_those_of_the_code()
    {
        Assert.Equal(AgentKinds.ByName.Keys, WordsOf("AgentKind"));
        Assert.Equal(OpenAiPreset.All.Keys, WordsOf("OpenAiPreset"));
        Assert.All(
            Enum.GetValues<ErrorClass>(), known => Assert.Contains(known.ToApiName(), WordsOf("StepErrorClass")));
        Assert.Equal(EventTypes.All.Order(), WordsOf("EventType").Order());
        Assert.Equal(
            DefinitionReader.StepTypes.Order(),
            Document.GetProperty("components").GetProperty("schemas").GetProperty("WorkflowStep")
                .GetProperty("discriminator")
                .GetProperty("mapping").EnumerateObject().Select(type => type.Name).Order());
        Assert.Equal(["start", "end", "join", "rollback", .. DefinitionReader.StepTypes], WordsOf("GraphNodeType"));
    }

    /// <summary>Problems are made in many places: each names its own.</summary>
    [Fact]
    public void Every_type_of_problem_in_the_code_is_documented_and_no_other()
    {
        var code = string.Join(
            '\n',
            Directory.EnumerateFiles(
                Path.Combine(Repository.Root, "ViralEngine.Functions"), "*.cs", SearchOption.AllDirectories)
                .Where(file => !file.Contains("/obj/") && !file.EndsWith("ProblemKinds.cs", StringComparison.Ordinal))
                .Select(File.ReadAllText));
        var made = Code().Matches(code).Select(match => match.Groups[1].Value)
            .Concat(Enum.GetValues<ErrorClass>().Select(each => "agent-" + each.ToApiName().Replace('_', '-')));

        Assert.Equal(
            made.Select(each => "urn:viral-engine:problem:" + each).Distinct().Order(StringComparer.Ordinal),
            WordsOf("ProblemType").Order(StringComparer.Ordinal));
    }

    private static List<string> WordsOf(string schema) =>
        [.. Document.GetProperty("components").GetProperty("schemas").GetProperty(schema).GetProperty("enum")
            .EnumerateArray().Select(word => word.GetString()!)];

    private static IEnumerable<(string At, JsonElement Media)> MediaIn(JsonElement node, string at = "") =>
        node.ValueKind != JsonValueKind.Object ? []
        : node.EnumerateObject().SelectMany(member => member.Name == "content"
            ? member.Value.EnumerateObject().Select(media => ($"{at}/{media.Name}", media.Value))
            : MediaIn(member.Value, $"{at}/{member.Name}"));

    private static IEnumerable<(string At, List<string?> Words)> EnumsIn(JsonElement node, string at) =>
        Below(node, at).SelectMany(each => EnumsIn(each.Value, each.At)).Concat(
            node.ValueKind == JsonValueKind.Object
            && node.TryGetProperty("enum", out var words) && words.ValueKind == JsonValueKind.Array
            && words.EnumerateArray().Count(word => word.ValueKind == JsonValueKind.String) > 1
                ? [(
                    at,
                    words.EnumerateArray().Select(word => word.GetString()).Where(word => word is not null).ToList())]
                : []);

    private static IEnumerable<(string At, JsonElement Value)> ObjectsIn(JsonElement node, string at) =>
        OfType(node, at, "object");

    private static IEnumerable<(string At, JsonElement Value)> NumbersIn(JsonElement node, string at) =>
        OfType(node, at, "number").Concat(OfType(node, at, "integer"));

    private static IEnumerable<(string At, JsonElement Value)> OfType(JsonElement node, string at, string type) =>
        Below(node, at).SelectMany(each => OfType(each.Value, each.At, type)).Concat(
            node.ValueKind == JsonValueKind.Object && node.TryGetProperty("type", out var named)
            && (named.ValueKind == JsonValueKind.String ? named.GetString() == type
                : named.ValueKind == JsonValueKind.Array && named.EnumerateArray().Any(
                    each => each.GetString() == type))
                ? [(at, node)]
                : []);

    private static IEnumerable<(string At, JsonElement Value)> Below(JsonElement node, string at) =>
        node.ValueKind switch
        {
            JsonValueKind.Object => node.EnumerateObject().Where(
                member => member.Name is not ("example" or "examples" or "default"))
                .Select(member => ($"{at}/{member.Name}", member.Value)),
            JsonValueKind.Array => node.EnumerateArray().Select((item, index) => ($"{at}/{index}", item)),
            _ => [],
        };

    [GeneratedRegex("^[a-z]+")]
    private static partial Regex Verb();

    [GeneratedRegex(@"(?:Conflict\(|\b\d{3},|e\.StatusCode,)\s*""([a-z]+(?:-[a-z]+)*)""")]
    private static partial Regex Code();
}
