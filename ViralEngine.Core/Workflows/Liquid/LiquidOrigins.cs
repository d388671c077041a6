using System.Text.Json;
using Fluid;
using Fluid.Values;

namespace ViralEngine.Core.Workflows.Liquid;

/// <summary>
/// Creates Liquid values from JSON lazily and remembers their origin, so that values that are only passed on are
/// written as they were received.
/// </summary>
internal sealed class LiquidOrigins
{
    private const string Key = "origins";
    private static readonly decimal Smallest = new(1, 0, 0, isNegative: false, scale: 28);
    private readonly Dictionary<FluidValue, JsonElement> origins = new(ReferenceEqualityComparer.Instance);

    public static LiquidOrigins Of(TemplateContext context) => (LiquidOrigins)context.AmbientValues[Key];

    public void Enter(TemplateContext context) => context.AmbientValues[Key] = this;

    public FluidValue Make(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object => Remember(new DictionaryValue(new JsonMembers(this, json)), json),
        JsonValueKind.Array => Remember(new ArrayValue(new JsonItems(this, json)), json),
        JsonValueKind.String => new StringValue(json.GetString()!),
        JsonValueKind.Number => Number(json),
        JsonValueKind.True => BooleanValue.True,
        JsonValueKind.False => BooleanValue.False,
        _ => NilValue.Instance,
    };

    /// <summary>The JSON that a value was created from, if Liquid would write it differently.</summary>
    public JsonElement? Find(FluidValue value) => origins.TryGetValue(value, out var json) ? json : null;

    /// <summary>
    /// Whether it is a number beyond the range of Liquid's: it can be compared and passed on, but not calculated with.
    /// </summary>
    public bool IsBeyond(FluidValue value) =>
        value is NumberValue && Find(value) is { } json && !(
            json.TryGetDecimal(out var number) && IsWhole(json, number));

    private NumberValue Number(JsonElement json)
    {
        var text = json.GetRawText();
        if (json.TryGetDecimal(out var number) && IsWhole(json, number))
        {
            var value = NumberValue.Create(number);
            return number.Scale == 0 && text == value.ToStringValue() ? value : Remember(value, json);
        }

        // The nearest representable number keeps the order.
        var negative = text[0] == '-';
        var nearest = json.TryGetDecimal(out number) ? number : negative ? decimal.MinValue : decimal.MaxValue;
        if (nearest == 0)
            nearest = negative ? -Smallest : Smallest;
        return Remember(NumberValue.Create(nearest), json);
    }

    /// <summary>Whether no digit was lost.</summary>
    private static bool IsWhole(JsonElement json, decimal number) => DecimalText.Same(json.GetRawText(), number);

    private T Remember<T>(T value, JsonElement json)
        where T : FluidValue
    {
        origins[value] = json;
        return value;
    }

    private sealed class JsonMembers(LiquidOrigins origins, JsonElement json) : IFluidIndexable
    {
        private readonly Dictionary<string, FluidValue> made = [];
        private Dictionary<string, JsonElement>? members;

        public int Count => Members.Count;

        public IEnumerable<string> Keys => Members.Keys;

        private Dictionary<string, JsonElement> Members => members ??= MembersOf(json);

        public bool TryGetValue(string name, out FluidValue value)
        {
            if (made.TryGetValue(name, out value!))
                return true;
            var found = Members.TryGetValue(name, out var member);
            value = found ? made[name] = origins.Make(member) : NilValue.Instance;
            return found;
        }

        /// <summary>The last one of those with the same name.</summary>
        private static Dictionary<string, JsonElement> MembersOf(JsonElement json)
        {
            var members = new Dictionary<string, JsonElement>();
            foreach (var member in json.EnumerateObject())
                members[member.Name] = member.Value;
            return members;
        }
    }

    private sealed class JsonItems(LiquidOrigins origins, JsonElement json) : IReadOnlyList<FluidValue>
    {
        private readonly FluidValue?[] made = new FluidValue?[json.GetArrayLength()];
        private JsonElement[]? items;

        public int Count => made.Length;

        public FluidValue this[int index] =>
            made[index] ??= origins.Make((items ??= [.. json.EnumerateArray()])[index]);

        public IEnumerator<FluidValue> GetEnumerator()
        {
            for (var index = 0; index < made.Length; index++)
                yield return this[index];
        }

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
