namespace ViralEngine.Console.Batches;

/// <summary>The preview of a file: its items and errors.</summary>
/// <param name="First">The first items.</param>
/// <param name="Columns">The columns of a CSV file; null for other formats.</param>
/// <param name="Faults">In the order of the lines.</param>
public sealed record BatchPreview(
    int Items, IReadOnlyList<PreviewItem> First, IReadOnlyList<string>? Columns, IReadOnlyList<LineFault> Faults);

/// <param name="Line">The line in the file, from 1.</param>
/// <param name="AgentId">Null for the batch's agent.</param>
public sealed record PreviewItem(int Line, string? Id, string? AgentId, string Description, string? Input);

/// <param name="Where">As the API names it: <c>line 17.description</c>.</param>
public sealed record LineFault(string Where, string Rule);
