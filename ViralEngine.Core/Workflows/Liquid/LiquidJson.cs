using System.Text.Json;
using Fluid.Values;

namespace ViralEngine.Core.Workflows.Liquid;

/// <summary>JSON as Liquid sees it, and back.</summary>
internal static class LiquidJson
{
    private const int MostDepth = 32;

    public static FluidValue ToValue(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object => new DictionaryValue(new JsonMembers(json)),
        JsonValueKind.Array => new ArrayValue([.. json.EnumerateArray().Select(ToValue)]),
        JsonValueKind.String => new StringValue(TextOf(json)),
        JsonValueKind.Number => json.TryGetDecimal(out var number)
            ? NumberValue.Create(number)
            : new StringValue(json.GetRawText()),
        JsonValueKind.True => BooleanValue.True,
        JsonValueKind.False => BooleanValue.False,
        _ => NilValue.Instance,
    };

    // Half of a surrogate pair, escaped, is valid JSON and no text.
    private static string TextOf(JsonElement json)
    {
        try
        {
            return json.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return json.GetRawText();
        }
    }

    /// <exception cref="LiquidException">The value is nested too deep.</exception>
    public static void Write(Utf8JsonWriter writer, FluidValue value, int depth = 0)
    {
        if (depth > MostDepth || writer.BytesCommitted + writer.BytesPending > 4 * LiquidLanguage.MostOutput)
            throw new LiquidException("A value is too large or nested too deep.");
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
                    Write(writer, item, depth + 1);
                writer.WriteEndArray();
                break;
            case DictionaryValue when value.ToObjectValue() is IFluidIndexable members:
                writer.WriteStartObject();
                foreach (var name in members.Keys)
                {
                    writer.WritePropertyName(CleanText.Of(name));
                    Write(writer, members.TryGetValue(name, out var member) ? member : NilValue.Instance, depth + 1);
                }

                writer.WriteEndObject();
                break;
            default:
                writer.WriteStringValue(CleanText.Of(value.ToStringValue()));
                break;
        }
    }

    /// <summary>An object, whose members are turned only when they are asked for.</summary>
    private sealed class JsonMembers(JsonElement json) : IFluidIndexable
    {
        public int Count => json.EnumerateObject().Count();

        public IEnumerable<string> Keys => json.EnumerateObject().Select(member => member.Name);

        public bool TryGetValue(string name, out FluidValue value)
        {
            var found = json.TryGetProperty(name, out var member);
            value = found ? ToValue(member) : NilValue.Instance;
            return found;
        }
    }

    /// <summary>Named values.</summary>
    internal sealed class Members(IReadOnlyDictionary<string, FluidValue> values) : IFluidIndexable
    {
        public int Count => values.Count;

        public IEnumerable<string> Keys => values.Keys;

        public bool TryGetValue(string name, out FluidValue value)
        {
            var found = values.TryGetValue(name, out var member);
            value = member ?? NilValue.Instance;
            return found;
        }
    }
}
