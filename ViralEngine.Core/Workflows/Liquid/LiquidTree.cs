using System.Text.Encodings.Web;
using System.Text.Json;

namespace ViralEngine.Core.Workflows.Liquid;

/// <summary>Any JSON whose strings are templates.</summary>
public sealed class LiquidTree
{
    private const int MaxTexts = 200;
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly JsonElement json;
    private readonly Dictionary<string, LiquidText> texts = [];

    private LiquidTree(JsonElement json) => this.json = json;

    public IEnumerable<LiquidText> Texts => texts.Values;

    /// <summary>Parses every string; errors go to <paramref name="fail"/> with their path below the value.</summary>
    public static LiquidTree Parse(JsonElement json, Action<string, string> fail)
    {
        var tree = new LiquidTree(json);
        tree.Collect(json, "", fail);
        return tree;
    }

    /// <exception cref="LiquidException">One of its strings cannot be rendered.</exception>
    public async Task<string> RenderAsync(LiquidValues values)
    {
        using var buffer = new MemoryStream();
        await using (var writer = new Utf8JsonWriter(buffer, Relaxed))
            await WriteAsync(writer, json, values);
        if (buffer.Length > 4 * LiquidLanguage.MaxOutput)
            throw new LiquidException("The value is too large.");
        CheckDepth(buffer);
        return System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    /// <summary>Inserted values add to the depth, and the result must be readable again.</summary>
    private static void CheckDepth(MemoryStream buffer)
    {
        try
        {
            JsonDocument.Parse(buffer.GetBuffer().AsMemory(0, (int)buffer.Length)).Dispose();
        }
        catch (JsonException)
        {
            throw new LiquidException("The value is nested too deep.");
        }
    }

    private void Collect(JsonElement at, string path, Action<string, string> fail)
    {
        switch (at.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in at.EnumerateObject())
                    Collect(member.Value, $"{path}.{member.Name}", fail);
                break;
            case JsonValueKind.Array:
                foreach (var (index, item) in at.EnumerateArray().Index())
                    Collect(item, $"{path}[{index}]", fail);
                break;
            case JsonValueKind.String:
                CollectText(at, path, fail);
                break;
        }
    }

    private void CollectText(JsonElement at, string path, Action<string, string> fail)
    {
        string source;
        try
        {
            source = at.GetString()!;
        }
        catch (InvalidOperationException)
        {
            fail(path, "Must be valid Unicode.");
            return;
        }

        if (texts.ContainsKey(source))
            return;
        if (LiquidText.TryParse(source, out var fault) is not { } text)
            fail(path, fault!);
        else if (texts.Count == MaxTexts && !text.IsConstant)
            fail(path, $"Must have at most {MaxTexts} templates in one value.");
        else
            texts[source] = text;
    }

    private async Task WriteAsync(Utf8JsonWriter writer, JsonElement at, LiquidValues values)
    {
        switch (at.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var member in at.EnumerateObject())
                {
                    writer.WritePropertyName(member.Name);
                    await WriteAsync(writer, member.Value, values);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in at.EnumerateArray())
                    await WriteAsync(writer, item, values);
                writer.WriteEndArray();
                break;
            case JsonValueKind.String:
                LiquidJson.Write(writer, values.Origins, await texts[at.GetString()!].EvaluateAsync(values));
                break;
            default:
                at.WriteTo(writer);
                break;
        }
    }
}
