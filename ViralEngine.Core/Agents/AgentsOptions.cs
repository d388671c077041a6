using System.ComponentModel.DataAnnotations;

namespace ViralEngine.Core.Agents;

/// <summary>Section <c>Agents</c>: limits of providers' answers, and prices of models.</summary>
public sealed class AgentsOptions : IValidatableObject
{
    public const string Section = "Agents";

    /// <summary>Maximum bytes of an answer's text (UTF-8); longer ones fail as too large.</summary>
    [Range(1, 256 * 1024 * 1024)]
    public int MaxAnswerBytes { get; set; } = 10 * 1024 * 1024;

    /// <summary>
    /// Bytes of memory for answers in flight on one instance; beyond it, long answers go to temporary files and no new
    /// calls start.
    /// </summary>
    [Range(1 << 20, 1L << 40)]
    public long MaxAnswerMemoryBytes { get; set; } = 256L << 20;

    /// <summary>Bytes of temporary files for answers in flight before new calls wait.</summary>
    [Range(1 << 20, 1L << 44)]
    public long MaxAnswerFileBytes { get; set; } = 4L << 30;

    // Each token takes some 200 bytes of JSON: 30 MB hold more tokens than any model answers with.
    internal long MaxWireBytes => MaxAnswerBytes * 3L;

    /// <summary>Default seconds of silence within an answer.</summary>
    [Range(1, 3600)]
    public int IdleTimeoutSeconds { get; set; } = 60;

    /// <summary>US dollars per million tokens, by model. Adds to and overrides <see cref="PriceTable"/>.</summary>
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
