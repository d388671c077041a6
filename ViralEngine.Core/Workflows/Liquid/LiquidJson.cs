using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Fluid.Values;
using ViralEngine.Core.Texts;

namespace ViralEngine.Core.Workflows.Liquid;

/// <summary>Liquid values as JSON, exactly as they were received unless calculated.</summary>
internal static class LiquidJson
{
    private const int MaxDepth = 32;
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <exception cref="LiquidException">The value is too large or nested too deep.</exception>
    public static void Write(Utf8JsonWriter writer, LiquidOrigins origins, FluidValue value, int depth = 0)
    {
        if (depth > MaxDepth || writer.BytesCommitted + writer.BytesPending > 4 * LiquidLanguage.MaxOutput)
            throw new LiquidException("A value is too large or nested too deep.");
        if (origins.Find(value) is { } json)
        {
            writer.WriteRawValue(json.GetRawText(), skipInputValidation: true);
            return;
        }

        switch (value)
        {
            case NilValue:
                writer.WriteNullValue();
                break;
            case BooleanValue:
                writer.WriteBooleanValue(value.ToBooleanValue());
                break;
            case NumberValue:
                writer.WriteNumberValue(value.ToNumberValue());
                break;
            case ArrayValue array:
                writer.WriteStartArray();
                foreach (var item in array.Values)
                    Write(writer, origins, item, depth + 1);
                writer.WriteEndArray();
                break;
            case DictionaryValue when value.ToObjectValue() is IFluidIndexable members:
                writer.WriteStartObject();
                foreach (var name in members.Keys)
                {
                    writer.WritePropertyName(OutsideText.Of(name));
                    Write(
                        writer, origins, members.TryGetValue(name, out var member) ? member : NilValue.Instance,
                        depth + 1);
                }

                writer.WriteEndObject();
                break;
            default:
                writer.WriteStringValue(OutsideText.Of(value.ToStringValue()));
                break;
        }
    }

    /// <summary>The JSON of a value as a text.</summary>
    /// <exception cref="LiquidException">As for <see cref="Write"/>.</exception>
    public static string Serialize(LiquidOrigins origins, FluidValue value)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Relaxed))
            Write(writer, origins, value);
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    /// <summary>The text of a value that came as JSON; null to use Liquid's own.</summary>
    public static string? TextOf(LiquidOrigins origins, FluidValue value) => value switch
    {
        NumberValue or ArrayValue when origins.Find(value) is null => null,
        NumberValue => origins.Find(value)!.Value.GetRawText(),
        ArrayValue or DictionaryValue => Serialize(origins, value),
        _ => null,
    };
}
