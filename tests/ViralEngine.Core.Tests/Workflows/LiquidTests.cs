using System.Text.Json;
using ViralEngine.Core.Workflows.Liquid;

namespace ViralEngine.Core.Tests.Workflows;

/// <summary>What templates can do, and what they cannot.</summary>
public sealed class LiquidTests
{
    private static readonly LiquidValues Values = new(
        JsonElement.Parse(
            """{"name":"Ada","items":[{"n":1},{"n":2}],"big":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx","half":"\ud800"}"""),
        Guid.Empty,
        1,
        new Dictionary<string, StepValue> { ["a"] = new("completed", JsonElement.Parse("""{"ok":true}""")) });

    [Theory]
    [InlineData("Dear {{ input.name | upcase }}", "Dear ADA")]
    [InlineData("{% for item in input.items %}{{ item.n }};{% endfor %}", "1;2;")]
    [InlineData("{% if steps.a.output.ok %}{{ steps.a.status }}{% else %}no{% endif %}", "completed")]
    [InlineData("{{ input.items | map: 'n' | join: '+' }}", "1+2")]
    [InlineData("{{ nobody }}{{ input.nothing.at.all }}", "")]
    public async Task Renders_what_the_workflow_has(string source, string expected) =>
        Assert.Equal(expected, await Parse(source).RenderAsync(Values));

    [Theory]
    [InlineData("{{ input.name.GetType }}")]
    [InlineData("{{ input.GetHashCode }}")]
    [InlineData("{{ workflow.GetType.Assembly }}")]
    [InlineData("{{ steps.a.output.ToString }}")]
    [InlineData("{{ Environment }}{{ System.IO.File }}")]
    public async Task Reads_nothing_that_is_not_its_own(string source) =>
        Assert.Equal("", await Parse(source).RenderAsync(Values));

    [Theory]
    [InlineData(
        "{% for a in (1..1000) %}{% for b in (1..1000) %}{% for c in (1..1000) %}x"
        + "{% endfor %}{% endfor %}{% endfor %}")]
    [InlineData("{% assign a = input.big %}{% for i in (1..100) %}{% assign a = a | append: a %}{% endfor %}")]
    [InlineData("{% assign a = input.big %}{% for i in (1..100) %}{% assign a = a | replace: 'x', a %}{% endfor %}")]
    [InlineData("{% assign a = input.items %}{% for i in (1..100) %}{% assign a = a | concat: a %}{% endfor %}")]
    [InlineData("{% for i in (1..1000) %}{% for j in (1..1000) %}{{ input.big }}{% endfor %}{% endfor %}")]
    [InlineData("{{ 79228162514264337593543950335 | times: 79228162514264337593543950335 }}")]
    public async Task Ends_what_would_not_end(string source) =>
        await Assert.ThrowsAsync<LiquidException>(() => Parse(source).RenderAsync(Values));

    [Theory]
    [InlineData("{{ oops")]
    [InlineData("{% for i in (1..input.n) %}{% endfor %}")]
    [InlineData("{% for i in (1..1000000000) %}{% endfor %}")]
    [InlineData("{% include 'secrets' %}")]
    [InlineData("{% render 'secrets' %}")]
    [InlineData("{% capture x %}{% endcapture %}")]
    [InlineData("{{ input.name | hmac_sha256: 'k' }}")]
    [InlineData("{{ steps | json }}")]
    [InlineData("{{ steps[input.name].output }}")]
    [InlineData("{{ steps.a.secrets }}")]
    [InlineData("{% if true %}")]
    public void Refuses_what_it_cannot_vouch_for(string source)
    {
        Assert.Null(LiquidText.TryParse(source, out var fault));
        Assert.NotNull(fault);
    }

    [Theory]
    [InlineData("{% if true %}", "{% endif %}")]
    [InlineData("{{ a[", "] }}")]
    [InlineData("{{ (", ") }}")]
    [InlineData("{{ true and ", " }}")]
    public void Survives_nesting_without_end(string open, string close)
    {
        var source = string.Concat(Enumerable.Repeat(open, 1500)) + "x" + string.Concat(Enumerable.Repeat(close, 1500));

        LiquidText.TryParse(source[..Math.Min(source.Length, LiquidText.MaxCharacters)], out var fault);

        Assert.NotNull(fault);
    }

    [Fact]
    public void Survives_whatever_is_written()
    {
        string[] pieces =
        [
            "{{", "}}", "{%", "%}", "{%-", "-%}", " if ", " endif ", " for i in ", " endfor ", "(1..9)", "input",
            ".name", "[0]", "['a']", " | ", "append: ", "'", "\"", "steps.a.output", "1", "-", " and ", " or ", "==",
            "\0", "\ud800", "é", "\n", "assign x = ", "raw", " endraw ", "comment", " endcomment ", "case x", "when 1",
            "else", "elsif", "break", "#", ",", ":", "contains",
        ];
        var random = new Random(20261124);
        for (var round = 0; round < 5000; round++)
        {
            var source = string.Concat(
                Enumerable.Range(0, random.Next(1, 25)).Select(_ => pieces[random.Next(pieces.Length)]));
            if (LiquidText.TryParse(source, out var fault) is not { } text)
                Assert.NotNull(fault);
            else
                RenderOrFail(text);
        }
    }

    [Theory]
    [InlineData("1e-30")]
    [InlineData("123456789012345678901234567890123")]
    [InlineData("1E+400")]
    [InlineData("-0.0")]
    [InlineData("1.10")]
    [InlineData("0.1234567890123456789012345678901234567890")]
    [InlineData("""{"b": [1.0, {"a": null}], "a": 1e5}""")]
    [InlineData("""[[], {}, "x\"y", 12345678901234567890123456789012345]""")]
    public async Task Passes_a_value_that_stands_alone_on_as_it_came(string json)
    {
        var tree = LiquidTree.Parse(
            JsonElement.Parse("""{"x":"{{ input.x }}","y":["{{ input.list.first }}"]}"""), (_, _) => { });

        var rendered = await tree.RenderAsync(Of($$"""{"x":{{json}},"list":[{{json}}]}"""));

        Assert.Equal($$"""{"x":{{json}},"y":[{{json}}]}""", rendered);
    }

    [Theory]
    [InlineData("a {{ input.x }} b", "1e-30", "a 1e-30 b")]
    [InlineData("a {{ input.x }} b", "123456789012345678901234567890123", "a 123456789012345678901234567890123 b")]
    [InlineData("a {{ input.x }} b", "1.10", "a 1.10 b")]
    [InlineData("a {{ input.x }} b", """{"n":1e-30,"m":"é"}""", """a {"n":1e-30,"m":"é"} b""")]
    [InlineData("a {{ input.x }} b", """[1,{"n":2}]""", """a [1,{"n":2}] b""")]
    [InlineData("{% for i in input.x %}{{ i }};{% endfor %}", """[{"n":1},1e-30]""", """{"n":1};1e-30;""")]
    [InlineData("{{ input.x | append: '!' }}", "1e-30", "1e-30!")]
    [InlineData("{{ input.x | append: input.x }}", """{"n":1}""", """{"n":1}{"n":1}""")]
    [InlineData("{{ input.x | join: '+' }}", """[1.50,{"n":1}]""", """1.50+{"n":1}""")]
    [InlineData("{{ input.x | json }}", """{"n":1e-30}""", """{"n":1e-30}""")]
    [InlineData("{% assign y = input.x %}{% if y > 0 %}{{ y }}{% endif %}", "1e-30", "1e-30")]
    [InlineData("{% if input.x > 5 %}more{% endif %}", "1e300", "more")]
    [InlineData("{% case input.x %}{% when 1 %}one{% else %}other{% endcase %}", "1", "one")]
    [InlineData("{% if input.x == 2 %}two{% elsif input.x == 1 or false %}one{% else %}other{% endif %}", "1", "one")]
    [InlineData("{% if false %}{% else %}{{ input.x }}{% endif %}", "1.00", "1.00")]
    [InlineData("{% case input.x %}{% when 1 %}{{ input.x }}{% else %}{% endcase %}", "1.00", "1.00")]
    [InlineData("{% for i in input.none %}{% else %}{{ input.x }}{% endfor %}", """{"n":1e-30}""", """{"n":1e-30}""")]
    [InlineData("{% unless input.x == 2 %}{% echo input.x %}{% endunless %}", "1.00", "1.00")]
    [InlineData("{% if input.x contains 'b' %}yes{% endif %}", "\"abc\"", "yes")]
    [InlineData("{{ input.x | plus: 1 }}", "1.5", "2.5")]
    [InlineData("a {{ input.x }} b", "\"\\ud83d\"", "a \ufffd b")]
    public async Task Writes_numbers_as_they_came_and_objects_as_JSON(string source, string json, string expected) =>
        Assert.Equal(expected, await Parse(source).RenderAsync(Of($$"""{"x":{{json}}}""")));

    [Theory]
    [InlineData("1e300")]
    [InlineData("1e-30")]
    [InlineData("123456789012345678901234567890123")]
    public async Task Calculates_with_no_number_that_it_would_change(string json) =>
        await Assert.ThrowsAsync<LiquidException>(
            () => Parse("{{ input.x | times: 2 }}").RenderAsync(Of($$"""{"x":{{json}}}""")));

    [Fact]
    public void A_long_chain_of_filters_is_read_at_once() =>
        Assert.NotNull(
            LiquidText.TryParse("{{ input.x" + string.Concat(Enumerable.Repeat(" | upcase", 400)) + " }}", out _));

    [Theory]
    [InlineData("{% for a in input.list %}{% for b in input.list %}{% endfor %}{% endfor %}")]
    [InlineData(
        "{% for a in input.list %}{% for b in input.list limit: 1 %}{% for c in input.list limit: 1 %}"
        + "{% endfor %}{% endfor %}{% endfor %}")]
    [InlineData(
        "{% for a in input.list %}{% if input.text contains input.part and input.text contains input.part %}"
        + "{% endif %}{% endfor %}")]
    [InlineData("{% for a in input.list %}{% if input.list == input.other %}{% endif %}{% endfor %}")]
    [InlineData("{% for a in input.list %}{{ input.list | size }}{% assign x = input.list | reverse %}{% endfor %}")]
    public async Task Ends_soon_whatever_it_is_given(string source)
    {
        var list = string.Join(',', Enumerable.Range(0, 15_000));
        var values = Of($$"""
            {"list":[{{list}}],"other":[{{list}}],"text":"{{new string('a', 80_000)}}",
             "part":"{{new string('a', 40_000)}}b{{new string('a', 39_000)}}"}
            """);
        // A tenth of the list, because a busy machine may take so long for all of it that it is refused.
        var tenth = Of($$"""{"list":[{{string.Join(',', Enumerable.Range(0, 1_500))}}]}""");
        var clock = TimeProvider.System;
        var began = clock.GetTimestamp();
        await Parse("{% for a in input.list %}{{ a }}{% endfor %}").RenderAsync(tenth);
        var control = clock.GetElapsedTime(began);

        began = clock.GetTimestamp();
        await Assert.ThrowsAsync<LiquidException>(async () =>
        {
            for (var text = 0; text < 20; text++)
                await Parse(source).RenderAsync(values);
        });

        Assert.InRange(clock.GetElapsedTime(began) / control, 0, 20_000);
    }

    [Fact]
    public async Task Gives_a_value_once_however_often_it_is_asked_for()
    {
        var list = string.Join(',', Enumerable.Range(0, 15_000).Select(n => $"{{\"n\":{n}.10}}"));
        var values = Of($$"""{"list":[{{list}}]}""");
        var before = GC.GetAllocatedBytesForCurrentThread();
        await Parse("{{ input.list | size }}").RenderAsync(values);
        var once = GC.GetAllocatedBytesForCurrentThread() - before;

        before = GC.GetAllocatedBytesForCurrentThread();
        await Parse("{% for a in (1..500) %}{{ input.list | size }}{% endfor %}").RenderAsync(values);
        var often = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.True(often < 20 * once, $"{once:N0} bytes for one access, {often:N0} for 500.");
    }

    private static LiquidValues Of(string json) =>
        new(JsonElement.Parse(json), Guid.Empty, 1, new Dictionary<string, StepValue>());

    private static void RenderOrFail(LiquidText text)
    {
        try
        {
            var rendered = text.RenderAsync(Values).GetAwaiter().GetResult();
            Assert.DoesNotContain('\0', rendered);
        }
        catch (LiquidException)
        {
            // The user is told.
        }
    }

    private static LiquidText Parse(string source)
    {
        var text = LiquidText.TryParse(source, out var fault);
        return text ?? throw new InvalidOperationException(fault);
    }
}
