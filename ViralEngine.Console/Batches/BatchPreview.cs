namespace ViralEngine.Console.Batches;

/// <summary>What was understood of a file: how many items, and what is wrong with which lines.</summary>
/// <param name="First">The first items, as they will be run.</param>
/// <param name="Columns">Of a CSV file; null of another.</param>
/// <param name="Faults">In the order of the lines.</param>
public sealed record BatchPreview(
    int Items, IReadOnlyList<PreviewItem> First, IReadOnlyList<string>? Columns, IReadOnlyList<LineFault> Faults);

/// <param name="Line">Of the file, from 1.</param>
/// <param name="AgentId">Null: the batch's.</param>
public sealed record PreviewItem(int Line, string? Id, string? AgentId, string Description, string? Input);

/// <param name="Where">As the API names it: <c>line 17.description</c>.</param>
public sealed record LineFault(string Where, string Rule);
