using System.Globalization;
using CsvHelper;
using Microsoft.AspNetCore.Http;
using ViralEngine.Core.Batches;
using ViralEngine.Core.Tasks;

namespace ViralEngine.Functions.Batches;

/// <summary>
/// Writes results as CSV (RFC 4180). A field that a spreadsheet would run as a formula (starting with =, +, -, @, a tab or a carriage
/// return) is prefixed with an apostrophe, as OWASP recommends.
/// </summary>
internal static class CsvResults
{
    private static readonly string[] Header =
    [
        "id", "status", "agent_id", "result", "answered_by", "error_class", "error_message", "attempt", "input_tokens",
        "output_tokens", "cost_usd", "completed_at", "finish_reason", "metadata",
    ];

    private static readonly CsvWriterOptions Options = new() { Injection = CsvInjection.Escape };

    public static async Task WriteAsync(HttpResponse response, IAsyncEnumerable<BatchResult> results, CancellationToken ct)
    {
        await using var csv = CsvWriter.Create(response.Body, Options, leaveOpen: true);
        await csv.WriteRecordAsync(Header, ct);
        await foreach (var result in results.WithCancellation(ct))
        {
            csv.WriteField(result.Id);
            csv.WriteField(result.Status.ToText());
            csv.WriteField(result.AgentId);
            csv.WriteField(result.Result);
            csv.WriteField(result.AnsweredBy);
            csv.WriteField(result.Error?.Class);
            csv.WriteField(result.Error?.Message);
            csv.WriteField(result.Attempt);
            csv.WriteField(result.Usage?.InputTokens);
            csv.WriteField(result.Usage?.OutputTokens);
            csv.WriteField(result.Usage?.CostUsd);
            csv.WriteField(result.CompletedAt?.ToString("O", CultureInfo.InvariantCulture));
            csv.WriteField(result.FinishReason);
            csv.WriteField(result.Metadata?.GetRawText());
            await csv.EndRecordAsync(ct);
        }

        await csv.FlushAsync(ct);
    }
}
