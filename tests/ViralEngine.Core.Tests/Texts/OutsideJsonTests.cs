using System.Text;
using System.Text.Json;
using ViralEngine.Core.Texts;

namespace ViralEngine.Core.Tests.Texts;

public sealed class OutsideJsonTests
{
    [Theory]
    [InlineData("""{"a":"\ud83d"}""", """{"a":"\ufffd"}""")]
    [InlineData("""{"a":"\uD83D\uDE00"}""", """{"a":"\uD83D\uDE00"}""")]
    [InlineData("""{"a":"\ude00\ud83d"}""", """{"a":"\ufffd\ufffd"}""")]
    [InlineData("""{"\ud83dx":1}""", """{"\ufffdx":1}""")]
    [InlineData("""["\ud83d\ud83d\ude00"]""", """["\ufffd\ud83d\ude00"]""")]
    [InlineData("""["\\ud83d","\\\ud83d"]""", """["\\ud83d","\\\ufffd"]""")]
    [InlineData("""["a\u0000b"]""", """["ab"]""")]
    [InlineData("""["\\u0000","\\\u0000"]""", """["\\u0000","\\"]""")]
    [InlineData("""{"a\u0000":{"b":["\u0000"]}}""", """{"a":{"b":[""]}}""")]
    public void Texts_in_json_become_valid_unicode_without_nul(string json, string clean)
    {
        Assert.True(OutsideJson.TryParse(json, out var read));
        Assert.Equal(clean, read.GetRawText());
    }

    [Theory]
    [InlineData("1", true)]
    [InlineData("-0.0", true)]
    [InlineData("123456789012345678901234567890123", true)]
    [InlineData("1e308", true)]
    [InlineData("1e-30", true)]
    [InlineData("5e-324", true)]
    [InlineData("1e309", false)]
    [InlineData("-1e999999", false)]
    [InlineData("1e-999999", false)]
    [InlineData("1e99999999999999999999", false)]
    [InlineData("0e99999999999999999999", false)]
    public void Numbers_are_those_that_a_double_can_hold(string number, bool good)
    {
        Assert.Equal(good, OutsideJson.TryParse($"[{number}]", out _));
        Assert.Equal(good, OutsideJson.IsGoodNumber(Encoding.ASCII.GetBytes(number)));
    }

    [Fact]
    public void A_number_of_absurd_length_is_none() => Assert.False(OutsideJson.TryParse(new string('7', 1001), out _));

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("nul")]
    [InlineData("""{"a":"\u00"}""")]
    [InlineData("""{"a":"\u""")]
    [InlineData("\\")]
    [InlineData("\\u0000\\")]
    public void What_is_not_json_is_not_read(string text) => Assert.False(OutsideJson.TryParse(text, out _));

    [Fact]
    public void Nesting_is_bounded_and_a_byte_order_mark_is_passed_over()
    {
        Assert.False(OutsideJson.TryParse(new string('[', 65) + new string(']', 65), out _));
        Assert.True(OutsideJson.TryParse([0xEF, 0xBB, 0xBF, (byte)'1'], out var one));
        Assert.Equal(1, one.GetInt32());
    }

    [Fact]
    public void What_cannot_be_stored_is_named_by_its_path()
    {
        using var document = JsonDocument.Parse(
            """{"a":[1,{"b":"x\u0000","c":1e999999}],"d\u0000":2,"e":"\ud83d\ude00","f":["\ude00"]}""");
        var faults = new List<(string Path, string Rule)>();

        OutsideJson.Check(document.RootElement, (path, rule) => faults.Add((path, rule)));

        Assert.Equal(
            [
                ("a[1].b", OutsideJson.NulRule), ("a[1].c", OutsideJson.NumberRule), ("", OutsideJson.NulRule),
                ("f[0]", OutsideJson.SurrogateRule),
            ],
            faults);
    }
}
