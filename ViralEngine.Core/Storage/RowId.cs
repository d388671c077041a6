namespace ViralEngine.Core.Storage;

/// <summary>
/// Row ids: version 7 UUIDs, ascending within a process. The 12 bits after the version hold the fraction of the
/// millisecond (RFC 9562, section 6.2, method 3), so that order by id is order of creation.
/// </summary>
public static class RowId
{
    public static Guid New() => New(DateTimeOffset.UtcNow);

    /// <summary>The lowest id of a time's millisecond.</summary>
    internal static Guid FirstAt(DateTimeOffset time)
    {
        Span<byte> bytes = stackalloc byte[16];
        Guid.CreateVersion7(time).TryWriteBytes(bytes, bigEndian: true, out _);
        bytes[6] = 0x70;
        bytes[7..].Clear();
        return new Guid(bytes, bigEndian: true);
    }

    internal static Guid New(DateTimeOffset now)
    {
        Span<byte> bytes = stackalloc byte[16];
        Guid.CreateVersion7(now).TryWriteBytes(bytes, bigEndian: true, out _);
        var fraction = now.Ticks % TimeSpan.TicksPerMillisecond * 4096 / TimeSpan.TicksPerMillisecond;
        bytes[6] = (byte)(0x70 | (fraction >> 8));
        bytes[7] = (byte)fraction;
        return new Guid(bytes, bigEndian: true);
    }
}
