using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using ViralEngine.Core.Events;

namespace ViralEngine.Functions.Streams;

internal sealed record HistoryQuery
{
    [Range(1, 1000)]
    public int Limit { get; init; } = 100;

    [Range(0, int.MaxValue)]
    [Description("Events after this number.")]
    public int After { get; init; }
}

/// <param name="NextAfter">The number to continue after; null at the end.</param>
internal sealed record EventHistory(IReadOnlyList<Event> Events, int? NextAfter);
