namespace ViralEngine.Core.Alerts.Detection;

public enum SimpleRule
{
    /// <summary>More than three standard deviations from the mean.</summary>
    Deviation,

    /// <summary>More than twice the mean.</summary>
    Doubled,
}

/// <summary>
/// The simple mode: the mean of at least 100 and at most 6,400 points before this one, and a fixed rule. Sums of blocks
/// of 64 points stand for the window, so that its state is small.
/// </summary>
public sealed class SimpleDetector(SimpleRule rule)
{
    public const int LeastPoints = 100;

    private const byte Version = 1;
    private const int BlockLength = 64;
    private const int Blocks = 100;
    private const double Deviations = 3;

    private readonly Queue<(double Sum, double Squares)> blocks = new();
    private double blockSum;
    private double blockSquares;
    private int inBlock;
    private double sum;
    private double squares;

    /// <summary>The score is how many times the rule's limit the point is; 1 and above is an alarm.</summary>
    public Verdict Observe(Observation point)
    {
        var count = (blocks.Count * BlockLength) + inBlock;
        if (point.Weight <= 0)
            return default;
        var mean = count > 0 ? sum / count : 0;
        var deviation = count > 1 ? Math.Sqrt(Math.Max(0, (squares / count) - (mean * mean))) : 0;
        var limit = rule == SimpleRule.Doubled ? Math.Abs(mean) : Deviations * deviation;
        var away = rule == SimpleRule.Doubled ? point.Value - mean : Math.Abs(point.Value - mean);
        var settled = count >= LeastPoints;
        var score = settled && limit > 0 ? Math.Max(0, away) / limit : 0;
        Learn(point.Value);
        return new Verdict(
            score, Math.Sign(point.Value - mean), true, 1, point.Value, mean, mean - limit, mean + limit, point.Weight,
            settled);
    }

    /// <summary>Restores a state, or starts over if it is of another version.</summary>
    public static SimpleDetector Read(SimpleRule rule, ReadOnlySpan<byte> state)
    {
        var detector = new SimpleDetector(rule);
        if (state.Length == 0 || state[0] != Version)
            return detector;
        var reader = new StateReader(state[1..]);
        detector.inBlock = reader.Int();
        detector.blockSum = reader.Double();
        detector.blockSquares = reader.Double();
        detector.sum = reader.Double();
        detector.squares = reader.Double();
        for (var left = reader.Int(); left > 0; left--)
        {
            var block = reader.Double();
            detector.blocks.Enqueue((block, reader.Double()));
        }

        return detector;
    }

    public byte[] Write()
    {
        Span<byte> buffer = new byte[64 + ((Blocks + 1) * 2 * sizeof(double))];
        var writer = new StateWriter(buffer);
        writer.Byte(Version);
        writer.Int(inBlock);
        writer.Double(blockSum);
        writer.Double(blockSquares);
        writer.Double(sum);
        writer.Double(squares);
        writer.Int(blocks.Count);
        foreach (var (blockTotal, squareTotal) in blocks)
        {
            writer.Double(blockTotal);
            writer.Double(squareTotal);
        }

        return buffer[..writer.Length].ToArray();
    }

    private void Learn(double value)
    {
        sum += value;
        squares += value * value;
        blockSum += value;
        blockSquares += value * value;
        if (++inBlock < BlockLength)
            return;
        blocks.Enqueue((blockSum, blockSquares));
        (blockSum, blockSquares, inBlock) = (0, 0, 0);
        if (blocks.Count <= Blocks)
            return;
        var (oldSum, oldSquares) = blocks.Dequeue();
        sum -= oldSum;
        squares -= oldSquares;
    }
}
