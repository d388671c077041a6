using System.Buffers.Binary;

namespace ViralEngine.Core.Alerts.Detection;

/// <summary>Writes a detector's state as bytes: little-endian, in a fixed order, no names.</summary>
internal ref struct StateWriter(Span<byte> target)
{
    private readonly Span<byte> target = target;

    public int Length { get; private set; }

    public void Byte(byte value) => target[Length++] = value;

    public void Int(int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(target[Length..], value);
        Length += sizeof(int);
    }

    public void Long(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(target[Length..], value);
        Length += sizeof(long);
    }

    public void Float(float value)
    {
        BinaryPrimitives.WriteSingleLittleEndian(target[Length..], value);
        Length += sizeof(float);
    }

    public void Double(double value)
    {
        BinaryPrimitives.WriteDoubleLittleEndian(target[Length..], value);
        Length += sizeof(double);
    }

    public void Floats(ReadOnlySpan<float> values)
    {
        foreach (var value in values)
            Float(value);
    }
}

/// <summary>Reads what <see cref="StateWriter"/> wrote.</summary>
internal ref struct StateReader(ReadOnlySpan<byte> source)
{
    private ReadOnlySpan<byte> rest = source;

    public byte Byte()
    {
        var value = rest[0];
        rest = rest[1..];
        return value;
    }

    public int Int()
    {
        var value = BinaryPrimitives.ReadInt32LittleEndian(rest);
        rest = rest[sizeof(int)..];
        return value;
    }

    public long Long()
    {
        var value = BinaryPrimitives.ReadInt64LittleEndian(rest);
        rest = rest[sizeof(long)..];
        return value;
    }

    public float Float()
    {
        var value = BinaryPrimitives.ReadSingleLittleEndian(rest);
        rest = rest[sizeof(float)..];
        return value;
    }

    public double Double()
    {
        var value = BinaryPrimitives.ReadDoubleLittleEndian(rest);
        rest = rest[sizeof(double)..];
        return value;
    }

    public void Floats(Span<float> values)
    {
        foreach (ref var value in values)
            value = Float();
    }
}
