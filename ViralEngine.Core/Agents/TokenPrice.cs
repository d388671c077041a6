using ViralEngine.Core.Fields;

namespace ViralEngine.Core.Agents;

/// <summary>US dollars per million tokens.</summary>
public sealed record TokenPrice(decimal InputPerMillion, decimal OutputPerMillion)
{
    public decimal CostOf(long inputTokens, long outputTokens) =>
        (inputTokens * InputPerMillion + outputTokens * OutputPerMillion) / 1_000_000m;

    internal static TokenPrice? Read(FieldReader settings)
    {
        if (settings.Object("price") is not { } price)
            return null;

        var input = price.Number("input_per_million", 0, 1_000_000);
        var output = price.Number("output_per_million", 0, 1_000_000);
        price.Require("input_per_million", input);
        price.Require("output_per_million", output);
        price.RefuseOthers();
        return new TokenPrice(input ?? 0, output ?? 0);
    }
}
