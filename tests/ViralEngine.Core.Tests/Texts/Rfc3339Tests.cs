using ViralEngine.Core.Texts;

namespace ViralEngine.Core.Tests.Texts;

public sealed class Rfc3339Tests
{
    [Theory]
    [InlineData("2026-11-28T12:00:00Z", "2026-11-28T12:00:00.0000000Z")]
    [InlineData("2026-11-28t12:00:00z", "2026-11-28T12:00:00.0000000Z")]
    [InlineData("2026-11-28T12:00:00.123456789Z", "2026-11-28T12:00:00.1234567Z")]
    [InlineData("2026-11-28T12:00:00.1Z", "2026-11-28T12:00:00.1000000Z")]
    [InlineData("2026-11-28T12:00:00.00000000000000000000001Z", "2026-11-28T12:00:00.0000000Z")]
    [InlineData("2026-11-28T12:00:00+05:30", "2026-11-28T06:30:00.0000000Z")]
    [InlineData("2026-11-28T12:00:00.5-23:59", "2026-11-29T11:59:00.5000000Z")]
    [InlineData("2026-11-28T12:00:00-00:00", "2026-11-28T12:00:00.0000000Z")]
    [InlineData("1990-12-31T23:59:60Z", "1990-12-31T23:59:59.9999999Z")]
    [InlineData("1990-12-31T15:59:60.25-08:00", "1990-12-31T23:59:59.9999999Z")]
    [InlineData("2028-02-29T00:00:00Z", "2028-02-29T00:00:00.0000000Z")]
    public void Takes_every_form_and_keeps_utc(string text, string utc)
    {
        Assert.True(Rfc3339.TryParse(text, out var time));
        Assert.Equal(utc, time.ToString("O"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("2026-11-28")]
    [InlineData("2026-11-28T12:00:00")]
    [InlineData("2026-11-28 12:00:00Z")]
    [InlineData("2026-11-28T12:00Z")]
    [InlineData("2026-11-28T12:00:00.Z")]
    [InlineData("2026-11-28T12:00:00,5Z")]
    [InlineData("2026-11-28T24:00:00Z")]
    [InlineData("2026-11-28T12:60:00Z")]
    [InlineData("2026-11-28T12:00:61Z")]
    [InlineData("2026-13-28T12:00:00Z")]
    [InlineData("2027-02-29T12:00:00Z")]
    [InlineData("0000-01-01T00:00:00Z")]
    [InlineData("0001-01-01T00:00:00+01:00")]
    [InlineData("9999-12-31T23:59:59-01:00")]
    [InlineData("2026-11-28T12:00:00+5:30")]
    [InlineData("2026-11-28T12:00:00+24:00")]
    [InlineData("2026-11-28T12:00:00Z ")]
    [InlineData("2026-11-28T1２:00:00Z")]
    public void Refuses_what_is_not_one(string text) => Assert.False(Rfc3339.TryParse(text, out _));
}
