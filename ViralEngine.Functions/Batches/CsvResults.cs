using System.Globalization;
using CsvHelper;
using Microsoft.AspNetCore.Http;
using ViralEngine.Core.Batches;
using ViralEngine.Core.Tasks;

namespace ViralEngine.Functions.Batches;

/// <summary>
/// Writes results as CSV (RFC 4180). A field that a spreadsheet would run as a formula (starting with =, +, -, @, a tab
/// or a carriage return) is prefixed with an apostrophe, as OWASP recommends.
/// </summary>
internal static class CsvResults
{
    private static readonly (string Name, Func<BatchResult, string?> Value)[] Columns =
    [
        ("id", result => result.Id),
        ("status", result => result.Status.ToText()),
        ("agent_id", result => result.AgentId),
        ("result", result => result.Result),
        ("answered_by", result => result.AnsweredBy),
        ("error_class", result => result.Error?.Class),
        ("error_message", result => result.Error?.Message),
        ("attempt", result => Invariant(result.Attempt)),
        ("input_tokens", result => Invariant(result.Usage?.InputTokens)),
        ("output_tokens", result => Invariant(result.Usage?.OutputTokens)),
        ("cost_usd", result => Invariant(result.Usage?.CostUsd)),
        ("completed_at", result => result.CompletedAt?.ToString("O", CultureInfo.InvariantCulture)),
        ("finish_reason", result => result.FinishReason),
        ("metadata", result => result.Metadata?.GetRawText()),
    ];

    private static readonly CsvWriterOptions Options = new() { Injection = CsvInjection.Escape };

    public static async Task WriteAsync(
        HttpResponse response, IAsyncEnumerable<BatchResult> results, CancellationToken ct)
    {
        await using var csv = CsvWriter.Create(response.Body, Options, leaveOpen: true);
        await csv.WriteRecordAsync([.. Columns.Select(column => column.Name)], ct);
        await foreach (var result in results.WithCancellation(ct))
        {
            foreach (var column in Columns)
                csv.WriteField(column.Value(result));
            await csv.EndRecordAsync(ct);
        }

        await csv.FlushAsync(ct);
    }

    private static string? Invariant(IFormattable? value) => value?.ToString(null, CultureInfo.InvariantCulture);
}
