using System.Text.Json;
using ViralEngine.Core.Workflows.Liquid;

namespace ViralEngine.Core.Tests.Workflows;

/// <summary>What templates can do, and what they cannot.</summary>
public sealed class LiquidTests
{
    private static readonly LiquidValues Values = new(
        JsonElement.Parse("""{"name":"Ada","items":[{"n":1},{"n":2}],"big":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx","half":"\ud800"}"""),
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
    [InlineData("{% for a in (1..1000) %}{% for b in (1..1000) %}{% for c in (1..1000) %}x{% endfor %}{% endfor %}{% endfor %}")]
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

        LiquidText.TryParse(source[..Math.Min(source.Length, LiquidText.MostCharacters)], out var fault);

        Assert.NotNull(fault);
    }

    [Fact]
    public void Survives_whatever_is_written()
    {
        string[] pieces =
        [
            "{{", "}}", "{%", "%}", "{%-", "-%}", " if ", " endif ", " for i in ", " endfor ", "(1..9)", "input", ".name", "[0]", "['a']",
            " | ", "append: ", "'", "\"", "steps.a.output", "1", "-", " and ", " or ", "==", "\0", "\ud800", "é", "\n", "assign x = ", "raw",
            " endraw ", "comment", " endcomment ", "case x", "when 1", "else", "elsif", "break", "#", ",", ":", "contains",
        ];
        var random = new Random(20261124);
        for (var round = 0; round < 5000; round++)
        {
            var source = string.Concat(Enumerable.Range(0, random.Next(1, 25)).Select(_ => pieces[random.Next(pieces.Length)]));
            if (LiquidText.TryParse(source, out var fault) is not { } text)
                Assert.NotNull(fault);
            else
                RenderOrFail(text);
        }
    }

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
