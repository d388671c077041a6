using System.Text;
using ViralEngine.Core.Texts;

namespace ViralEngine.Core.Tests.Texts;

public sealed class OutsideTextTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("", "")]
    [InlineData("a\0b\0", "ab")]
    [InlineData("\0", "")]
    [InlineData("\u0001\u001b\u202e\uffff", "\u0001\u001b\u202e\uffff")]
    public void Text_becomes_valid_unicode_without_nul(string text, string clean) =>
        Assert.Equal(clean, OutsideText.Of(text));

    [Fact]
    public void Half_a_surrogate_pair_becomes_the_replacement_character()
    {
        Assert.Equal("a\ufffd", OutsideText.Of("a\ud83d"));
        Assert.Equal("\ufffda", OutsideText.Of("\ude00a"));
        Assert.Equal("\ufffd\ufffd", OutsideText.Of("\ude00\ud83d"));
        Assert.Equal("😀\ufffd😀", OutsideText.Of("😀\ud83d\0😀"));
    }

    [Fact]
    public void Bytes_that_are_not_utf_8_become_text()
    {
        Assert.Equal("a\ufffdb", OutsideText.Of([(byte)'a', 0xFF, (byte)'b']));
        Assert.Equal("ab", OutsideText.Of([0xEF, 0xBB, 0xBF, (byte)'a', 0, (byte)'b']));
        // CESU-8: a surrogate pair encoded half by half, as some databases send it.
        Assert.Equal(new string('\ufffd', 6), OutsideText.Of([0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80]));
    }

    [Theory]
    [InlineData("abc", 3, "abc")]
    [InlineData("abc", 2, "ab")]
    [InlineData("a😀b", 2, "a")]
    [InlineData("a😀b", 3, "a😀")]
    [InlineData("ae\u0301x", 2, "a")] // an accent of its own
    [InlineData("x👩‍👩‍👧‍👦y", 11, "x")] // a family, joined
    [InlineData("x👩‍👩‍👧‍👦y", 12, "x👩‍👩‍👧‍👦")]
    [InlineData("🇩🇪🇫🇷", 5, "🇩🇪")] // two flags
    [InlineData("a\r\nb", 2, "a")]
    [InlineData("abc", 0, "")]
    [InlineData("👩‍👩‍👧‍👦", 3, "👩‍")] // one that is longer than all there is room for
    [InlineData("😀", 1, "")]
    public void A_cut_is_between_characters_as_people_see_them(string text, int most, string cut) =>
        Assert.Equal(cut, OutsideText.Cut(text, most));

    [Fact]
    public void A_cut_of_whatever_text_at_whatever_place_is_a_valid_beginning_within_the_limit()
    {
        string[] pieces = ["a", "é", "e\u0301", "😀", "👨‍👩‍👧", "🇩🇪", "\r\n", "नि", "\u0301\u0301\u0301", "한"];
        var random = new Random(4711);
        for (var round = 0; round < 500; round++)
        {
            var text = string.Concat(
                Enumerable.Range(0, random.Next(12)).Select(_ => pieces[random.Next(pieces.Length)]));
            var most = random.Next(text.Length + 2);
            var cut = OutsideText.Cut(text, most);

            Assert.StartsWith(cut, text, StringComparison.Ordinal);
            Assert.True(cut.Length <= most);
            _ = new UTF8Encoding(false, throwOnInvalidBytes: true).GetBytes(cut);
        }
    }

    [Fact]
    public void An_excerpt_is_one_line_and_says_where_it_was_cut()
    {
        Assert.Equal("one two three", OutsideText.Excerpt("one\n\ttwo\u0007 \0three", 100));
        Assert.Equal("aaa…", OutsideText.Excerpt(new string('a', 1_000_000), 3));
        Assert.Equal($"{new string('a', 99)}…", OutsideText.Excerpt(new string('a', 99) + "😀 and more", 100));
    }
}
