using System.Globalization;
using System.Text;
using CsvHelper;
using CsvHelper.Configuration;
using Microsoft.AspNetCore.Http;
using ViralEngine.Core.Batches;
using ViralEngine.Core.Tasks;

namespace ViralEngine.Functions.Batches;

/// <summary>
/// Writes results as CSV after RFC 4180. A field that a spreadsheet would take for a formula (it begins with =, +, -, @, a tab or
/// a line break) gets an apostrophe in front, as OWASP advises: what an agent says must not run on a reader's machine.
/// </summary>
internal static class CsvResults
{
    private static readonly string[] Header =
    [
        "id", "status", "agent_id", "result", "answered_by", "error_class", "error_message", "attempt", "input_tokens",
        "output_tokens", "cost_usd", "completed_at",
    ];

    private static readonly CsvConfiguration Configuration = new(CultureInfo.InvariantCulture)
    {
        NewLine = "\r\n",
        InjectionOptions = InjectionOptions.Escape,
        InjectionCharacters = ['=', '@', '+', '-', '\t', '\r', '\n'],
    };

    public static async Task WriteAsync(HttpResponse response, IAsyncEnumerable<BatchResult> results, CancellationToken ct)
    {
        await using var text = new StreamWriter(response.Body, new UTF8Encoding(false), bufferSize: 32 * 1024, leaveOpen: true);
        await using var csv = new CsvWriter(text, Configuration, leaveOpen: true);
        foreach (var name in Header)
            csv.WriteField(name);
        await csv.NextRecordAsync();
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
            await csv.NextRecordAsync();
        }

        await csv.FlushAsync();
        await text.FlushAsync(ct);
    }
}
