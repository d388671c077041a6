using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tests.Storage;

public sealed class RowIdTests
{
    [Fact]
    public void Is_a_uuid_of_version_7_with_the_time_in_front()
    {
        var now = new DateTimeOffset(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);

        var id = RowId.New(now);

        Assert.Equal(7, id.Version);
        Assert.Equal(8, id.Variant & 0xC);
        Assert.StartsWith(now.ToUnixTimeMilliseconds().ToString("x12"), id.ToString("N"), StringComparison.Ordinal);
    }

    [Fact]
    public void Orders_what_is_a_microsecond_apart()
    {
        var start = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

        var ids = Enumerable.Range(0, 3000).Select(i => RowId.New(start.AddMicroseconds(i)).ToString("N")).ToList();

        Assert.Equal(ids.Order(StringComparer.Ordinal), ids);
    }
}
