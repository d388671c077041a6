namespace ViralEngine.Core.Workflows.Conditions;

/// <summary>
/// How friendly a text is, from -1 to 1: the same for the same words on every machine, at no cost. A list of common English words
/// with a weight each; a negation before a word turns it, an intensifier strengthens it. For finer judgement let an agent score,
/// and give the condition its number.
/// </summary>
public static class SentimentScore
{
    private const int MostWords = 20_000;
    private static readonly char[] Separators = [.. Enumerable.Range(0, 128).Select(c => (char)c).Where(c => !char.IsLetter(c) && c != '\'')];

    private static readonly HashSet<string> Negations =
        ["not", "no", "never", "none", "nothing", "hardly", "without", "don't", "doesn't", "didn't", "isn't", "wasn't", "aren't",
        "weren't", "can't", "cannot", "couldn't", "won't", "wouldn't", "shouldn't", "haven't", "hasn't"];

    private static readonly HashSet<string> Intensifiers =
        ["very", "really", "extremely", "so", "too", "absolutely", "completely", "totally", "highly", "incredibly"];

    private static readonly Dictionary<string, double> Weights = Words()
        .SelectMany(group => group.Words.Split(' ').Select(word => (word, group.Weight)))
        .ToDictionary(pair => pair.word, pair => pair.Weight);

    public static double Of(string text)
    {
        double sum = 0;
        var found = 0;
        var sign = 1.0;
        var strength = 1.0;
        var reach = 0;
        foreach (var word in text.ToLowerInvariant().Split(Separators, MostWords, StringSplitOptions.RemoveEmptyEntries))
        {
            if (Negations.Contains(word))
            {
                (sign, reach) = (-0.8, 3);
                continue;
            }

            if (Intensifiers.Contains(word))
            {
                strength = 1.5;
                continue;
            }

            if (Weights.TryGetValue(word, out var weight))
            {
                sum += weight * sign * strength;
                found++;
                (sign, reach) = (1, 0);
            }

            strength = 1;
            if (reach > 0 && --reach == 0)
                sign = 1;
        }

        // A few strong words say as much as many: the mean, drawn towards the end of the scale by their number.
        return found == 0 ? 0 : Math.Clamp(sum / Math.Sqrt(found * found + 0.5), -1, 1);
    }

    private static IEnumerable<(double Weight, string Words)> Words() =>
    [
        (1, "excellent outstanding perfect amazing awesome fantastic wonderful brilliant superb love loved adore delighted thrilled"),
        (0.7, "great good happy glad pleased satisfied helpful friendly recommend thanks thank enjoy enjoyed impressed beautiful best"),
        (0.4, "nice fine ok okay fair useful easy fast quick clear reliable correct like liked works improved resolved better"),
        (-0.4, "slow late confusing unclear difficult problem problems issue issues concern delay delayed missing worse lacking dirty"),
        (-0.7, "bad poor wrong broken fail failed fails failure sad unhappy disappointed disappointing annoyed annoying complaint"
            + " damaged defective useless rude frustrated frustrating unacceptable refund"),
        (-1, "terrible horrible awful worst hate hated furious angry scam fraud disgusting outrageous dreadful appalling nightmare"),
    ];
}
