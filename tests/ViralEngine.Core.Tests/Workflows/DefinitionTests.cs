using System.Text.Json;
using System.Text.Json.Nodes;
using ViralEngine.Core.Fields;
using ViralEngine.Core.Outgoing;
using ViralEngine.Core.Workflows;
using ViralEngine.Core.Workflows.Conditions;

namespace ViralEngine.Core.Tests.Workflows;

public sealed class DefinitionTests
{
    private static readonly DefinitionReader Reader = new(new UrlPolicy(new AddressPolicy(new OutgoingOptions())));

    private static readonly string[] Types = [.. DefinitionReader.StepTypes];

    private static readonly string[] Words =
    [
        "steps", "id", "type", "name", "task", "parallel", "choice", "approval", "delay", "webhook", "agent_id",
        "description", "input", "branches", "conditions", "condition", "default", "value", "pattern", "min", "max",
        "text", "mode", "is", "approvers", "roles", "users", "quorum", "timeout_seconds", "on_timeout", "escalation",
        "escalate", "approver", "title", "retry", "max_attempts", "on", "rollback", "url", "headers", "body", "seconds",
        "until", "all", "any", "not", "regex_match", "numeric_range", "confidence", "{{ steps.a.output }}", "{{ input",
        "(a+)+$", "[", "https://example.com", "echo", "",
    ];

    [Fact]
    public void Whatever_is_written_is_read_or_refused_with_paths()
    {
        var random = new Random(20261124);
        for (var round = 0; round < 5000; round++)
        {
            var json = new JsonObject { ["steps"] = new JsonArray(Step(random, 0), Step(random, 0)) };
            var errors = new FieldErrors();

            var definition = Reader.Read(JsonElement.Parse(json.ToJsonString()), "", errors);

            Assert.True(definition is not null != errors.Any);
        }
    }

    [Fact]
    public void Steps_do_not_nest_without_end()
    {
        var step = """{"id":"s0","type":"delay","seconds":0}""";
        for (var i = 1; i <= DefinitionReader.MaxNesting + 1; i++)
            step = $$"""{"id":"s{{i}}","type":"parallel","branches":[{"steps":[{{step}}]}]}""";
        var errors = new FieldErrors();

        Reader.Read(JsonElement.Parse($$"""{"steps":[{{step}}]}"""), "", errors);

        Assert.Contains(
            errors.ToDictionary(),
            error => error.Value.Any(message => message.Contains("nest", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_branch_does_not_see_the_one_beside_it_and_what_follows_sees_both()
    {
        static string Task(string id, string uses) =>
            $$$"""{"id":"{{{id}}}","type":"task","agent_id":"echo","description":"x {{ steps.{{{uses}}}.output }}"}""";
        const string First = """{"id":"a","type":"task","agent_id":"echo","description":"x"}""";
        string Both(string inner, string after) =>
            """{"steps":[{"id":"p","type":"parallel","branches":"""
            + $$"""[{"steps":[{{First}}]},{"steps":[{{inner}}]}]},{{after}}]}""";
        var beside = new FieldErrors();
        var behind = new FieldErrors();

        Reader.Read(JsonElement.Parse(Both(Task("b", "a"), Task("c", "a"))), "", beside);
        Reader.Read(JsonElement.Parse(Both("""{"id":"b","type":"delay","seconds":0}""", Task("c", "a"))), "", behind);

        Assert.Equal(["steps[0].branches[1].steps[0].description"], beside.ToDictionary().Keys);
        Assert.False(behind.Any);
    }

    [Theory]
    [InlineData("(a+)+$")]
    [InlineData("(a|aa)+$")]
    [InlineData("^(([a-z])+.)+[A-Z]([a-z])+$")]
    public void A_pattern_made_to_explode_costs_nothing(string pattern)
    {
        var regex = LinearRegex.TryParse(pattern, caseSensitive: true, out _)!;

        // Backtracking would take longer than the universe is old; the pattern's own second would end it with an
        // exception.
        Assert.DoesNotMatch(regex, new string('a', 50_000) + "!");
    }

    [Theory]
    [InlineData("(a")]
    [InlineData(@"(a)\1")]
    [InlineData("(?=a)b")]
    [InlineData("((a{1,900}){1,900}){1,900}")]
    [InlineData("(?>a)")]
    public void A_pattern_that_the_linear_engine_cannot_take_is_refused(string pattern)
    {
        Assert.Null(LinearRegex.TryParse(pattern, caseSensitive: true, out var fault));
        Assert.NotNull(fault);
    }

    private static JsonObject Step(Random random, int depth)
    {
        var step =
            new JsonObject { ["id"] = Words[random.Next(Words.Length)], ["type"] = Types[random.Next(Types.Length)] };
        for (var i = random.Next(8); i > 0; i--)
            step[Words[random.Next(Words.Length)]] = Value(random, depth + 1);
        return step;
    }

    private static JsonNode? Value(Random random, int depth) => random.Next(depth > 4 ? 6 : 9) switch
    {
        0 => null,
        1 => random.Next(-5, 5000),
        2 => random.NextDouble() * 1e30,
        3 => random.Next(2) == 0,
        4 or 5 => Words[random.Next(Words.Length)],
        6 => new JsonArray([.. Enumerable.Range(0, random.Next(4)).Select(_ => Value(random, depth + 1))]),
        7 => Step(random, depth),
        _ => new JsonArray([.. Enumerable.Range(0, random.Next(3)).Select(_ => Step(random, depth + 1))]),
    };
}
