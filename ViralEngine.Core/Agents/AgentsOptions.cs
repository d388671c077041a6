using System.ComponentModel.DataAnnotations;

namespace ViralEngine.Core.Agents;

/// <summary>Section <c>Agents</c>: limits of providers' answers, and what models cost.</summary>
public sealed class AgentsOptions : IValidatableObject
{
    public const string Section = "Agents";

    /// <summary>Bytes of an answer's text (UTF-8); a longer one fails as too large.</summary>
    [Range(1, 256 * 1024 * 1024)]
    public int MaxAnswerBytes { get; set; } = 10 * 1024 * 1024;

    /// <summary>
    /// Bytes of memory that the answers in flight of one instance may take; beyond it long ones go to temporary files and no new call
    /// is made.
    /// </summary>
    [Range(1 << 20, 1L << 40)]
    public long MaxAnswerMemoryBytes { get; set; } = 256L << 20;

    /// <summary>Bytes of temporary files that they may take before new calls wait.</summary>
    [Range(1 << 20, 1L << 44)]
    public long MaxAnswerFileBytes { get; set; } = 4L << 30;

    // Each token comes in some 200 bytes of JSON: 30 MB hold more tokens than any model answers with.
    internal long MaxWireBytes => MaxAnswerBytes * 3L;

    /// <summary>Seconds between two pieces of an answer, where the agent does not say.</summary>
    [Range(1, 3600)]
    public int IdleTimeoutSeconds { get; set; } = 60;

    /// <summary>US dollars for a million tokens, by model: adds to and overrides <see cref="PriceTable"/>'s own.</summary>
    public IDictionary<string, ModelPrice> Prices { get; init; } = new Dictionary<string, ModelPrice>();

    public sealed class ModelPrice
    {
        public decimal InputPerMillion { get; set; }

        public decimal OutputPerMillion { get; set; }
    }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var (model, price) in Prices)
        {
            if (price.InputPerMillion < 0 || price.OutputPerMillion < 0)
                yield return new($"Agents:Prices:{model} must not be negative.", [nameof(Prices)]);
        }
    }
}
