using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using ViralEngine.Core.Batches;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Batches;

/// <summary>Writes results as JSON while they are read, flushing often to hold little in memory.</summary>
internal static class JsonResults
{
    private const int FlushAt = 64 * 1024;

    /// <summary>One result per line.</summary>
    public static async Task WriteLinesAsync(
        HttpResponse response, IAsyncEnumerable<BatchResult> results, CancellationToken ct)
    {
        await WriteAsync(response.BodyWriter, results, between: [], after: "\n"u8.ToArray(), ct);
        await response.BodyWriter.FlushAsync(ct);
    }

    /// <summary>A document of the form of <see cref="BatchResults"/>.</summary>
    public static async Task WriteDocumentAsync(
        HttpResponse response, Guid batchId, IAsyncEnumerable<BatchResult> results, CancellationToken ct)
    {
        var writer = response.BodyWriter;
        writer.Write("{\"batch_id\":\""u8);
        writer.Write(System.Text.Encoding.ASCII.GetBytes(batchId.ToString()));
        writer.Write("\",\"results\":["u8);
        await WriteAsync(writer, results, between: ","u8.ToArray(), after: [], ct);
        writer.Write("]}"u8);
        await writer.FlushAsync(ct);
    }

    private static async Task WriteAsync(
        PipeWriter writer, IAsyncEnumerable<BatchResult> results, byte[] between, byte[] after, CancellationToken ct)
    {
        byte[] separator = [];
        await foreach (var result in results.WithCancellation(ct))
        {
            writer.Write(separator);
            writer.Write(JsonSerializer.SerializeToUtf8Bytes(result, ApiJson.Options));
            writer.Write(after);
            separator = between;
            if (writer.UnflushedBytes > FlushAt)
                await writer.FlushAsync(ct);
        }
    }
}
