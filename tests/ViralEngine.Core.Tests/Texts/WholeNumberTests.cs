using ViralEngine.Core.Texts;

namespace ViralEngine.Core.Tests.Texts;

public sealed class WholeNumberTests
{
    [Theory]
    [InlineData("5", 5)]
    [InlineData("-0", 0)]
    [InlineData("5.0", 5)]
    [InlineData("5.000000000000000000000", 5)]
    [InlineData("5e0", 5)]
    [InlineData("50E-1", 5)]
    [InlineData("0.5e1", 5)]
    [InlineData("1e3", 1000)]
    [InlineData("-5.0", -5)]
    [InlineData("9223372036854775807", long.MaxValue)]
    [InlineData("-9223372036854775808.0", long.MinValue)]
    public void A_number_without_a_fraction_is_one(string text, long number)
    {
        Assert.True(WholeNumber.TryParse(text, out var value));
        Assert.Equal(number, value);
    }

    [Theory]
    [InlineData("5.5")]
    [InlineData("5.0000000000000000000000000000000000001")]
    [InlineData("1e-1")]
    [InlineData("1e-300")]
    [InlineData("1e19")]
    [InlineData("9223372036854775808")]
    [InlineData("1e999999999")]
    [InlineData("")]
    [InlineData("five")]
    [InlineData(" 5")]
    public void Another_is_not(string text) => Assert.False(WholeNumber.TryParse(text, out _));
}
