using System.Text.Json;
using System.Text.Json.Serialization;

namespace ViralEngine.Core.Tasks;

/// <summary>The JSON of errors and usage in the database and in events.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TaskError))]
[JsonSerializable(typeof(TaskUsage))]
[JsonSerializable(typeof(JsonElement))]
internal sealed partial class TaskJson : JsonSerializerContext;
