using ViralEngine.Core.Outgoing;

namespace ViralEngine.Core.Tests.Outgoing;

public sealed class RetryAfterHeaderTests
{
    private static readonly DateTimeOffset Now = new(1994, 11, 6, 8, 49, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("120", 120)]
    [InlineData(" 120 ", 120)]
    [InlineData("0", 0)]
    [InlineData("Sun, 06 Nov 1994 08:49:37 GMT", 37)] // RFC 9110, section 5.6.7, and its two older forms
    [InlineData("Sunday, 06-Nov-94 08:49:37 GMT", 37)]
    [InlineData("Sun Nov  6 08:49:37 1994", 37)]
    [InlineData("Sun, 06 Nov 1994 08:48:00 GMT", 0)]
    public void Reads_seconds_and_dates_in_their_three_forms(string header, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), RetryAfterHeader.Read(header, Now));

    [Fact]
    public void A_year_of_two_digits_is_never_more_than_50_years_ahead()
    {
        var now = new DateTimeOffset(2026, 11, 26, 0, 0, 0, TimeSpan.Zero);

        Assert.Equal(TimeSpan.Zero, RetryAfterHeader.Read("Sunday, 06-Nov-94 08:49:37 GMT", now));
        Assert.Equal(TimeSpan.FromDays(1), RetryAfterHeader.Read("Friday, 27-Nov-26 00:00:00 GMT", now));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("soon")]
    [InlineData("-5")]
    [InlineData("1.5")]
    [InlineData("Sun, 06 Nov 1994 08:49:37 CET")]
    public void Says_nothing_of_what_is_neither(string? header) => Assert.Null(RetryAfterHeader.Read(header, Now));

    [Fact]
    public void A_date_is_read_against_the_clock_of_the_sender()
    {
        using var response = new HttpResponseMessage { Headers = { Date = Now.AddHours(-1) } };
        response.Headers.TryAddWithoutValidation("Retry-After", "Sun, 06 Nov 1994 07:49:37 GMT");

        Assert.Equal(TimeSpan.FromSeconds(37), RetryAfterHeader.Of(response, Now));
    }

    [Fact]
    public void A_number_beyond_all_bounds_is_a_long_time() =>
        Assert.True(RetryAfterHeader.Read(new string('9', 40), Now) > TimeSpan.FromDays(1));
}
