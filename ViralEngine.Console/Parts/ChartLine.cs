namespace ViralEngine.Console.Parts;

/// <summary>A line of a <see cref="Chart"/>.</summary>
/// <param name="Class">Its colour: <c>one</c>, <c>two</c>, <c>three</c> or <c>bad</c>.</param>
/// <param name="Points">In order; a null value interrupts the line.</param>
public sealed record ChartLine(string Name, string Class, IReadOnlyList<ChartPoint> Points);

public readonly record struct ChartPoint(DateTime At, double? Value);

/// <summary>What is expected at a time: a range, and the usual value.</summary>
public readonly record struct ChartBand(DateTime At, double Low, double High, double Expected);
