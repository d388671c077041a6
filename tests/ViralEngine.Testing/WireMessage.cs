using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace ViralEngine.Testing;

/// <summary>A protobuf message read by the numbers of its fields: enough for a test, and no generated code.</summary>
internal sealed class WireMessage
{
    private readonly List<(int Field, long Number, ReadOnlyMemory<byte> Bytes)> fields = [];

    public WireMessage(ReadOnlyMemory<byte> message)
    {
        while (message.Length > 0)
        {
            var tag = Varint(ref message);
            var field = (int)(tag >> 3);
            switch (tag & 7)
            {
                case 0:
                    fields.Add((field, Varint(ref message), default));
                    break;
                case 1:
                    fields.Add((field, BinaryPrimitives.ReadInt64LittleEndian(message.Span), default));
                    message = message[8..];
                    break;
                case 2:
                    var length = (int)Varint(ref message);
                    fields.Add((field, 0, message[..length]));
                    message = message[length..];
                    break;
                case 5:
                    fields.Add((field, BinaryPrimitives.ReadInt32LittleEndian(message.Span), default));
                    message = message[4..];
                    break;
                default:
                    throw new InvalidDataException($"Field {field} has wire type {tag & 7}.");
            }
        }
    }

    public IEnumerable<WireMessage> All(int field) =>
        fields.Where(one => one.Field == field).Select(one => new WireMessage(one.Bytes));

    public long Number(int field) => fields.LastOrDefault(one => one.Field == field).Number;

    public string Text(int field) => Encoding.UTF8.GetString(Bytes(field).Span);

    public string Hex(int field) => Convert.ToHexStringLower(Bytes(field).Span);

    /// <summary>Keys and values, those that are strings, booleans or whole numbers.</summary>
    public Dictionary<string, string> Attributes(int field) => All(field).ToDictionary(
        pair => pair.Text(1),
        pair => pair.All(2).Select(value => value.Bytes(1).Length > 0
            ? value.Text(1)
            : Math.Max(value.Number(2), value.Number(3))
                .ToString(CultureInfo.InvariantCulture)).FirstOrDefault() ?? "");

    private ReadOnlyMemory<byte> Bytes(int field) => fields.LastOrDefault(one => one.Field == field).Bytes;

    private static long Varint(ref ReadOnlyMemory<byte> message)
    {
        var value = 0L;
        for (var shift = 0; ; shift += 7)
        {
            var next = message.Span[0];
            message = message[1..];
            value |= (long)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }
    }
}
