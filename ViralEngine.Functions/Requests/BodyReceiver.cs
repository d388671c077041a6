using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Storage;
using ViralEngine.Functions.Idempotency;
using ViralEngine.Functions.Organizations;

namespace ViralEngine.Functions.Requests;

/// <summary>
/// Receives whole bodies into memory, within limits, before their requests take anything shared. Endpoints with
/// <see cref="StreamsBodyAttribute"/> read their body themselves, as a stream.
/// </summary>
internal sealed class BodyReceiver
{
    private const int Step = 64 * 1024;
    private static readonly object Received = new();
    private readonly HashSet<string> streaming;
    private readonly BytesInFlight inFlight;
    private readonly EdgeOptions options;
    private readonly TimeProvider time;

    public BodyReceiver(
        EndpointCatalog endpoints, BytesInFlight inFlight, IOptions<EdgeOptions> options, TimeProvider time)
    {
        this.inFlight = inFlight;
        this.options = options.Value;
        this.time = time;
        streaming = [.. endpoints.All
            .Where(endpoint => endpoint.Method.GetCustomAttribute<StreamsBodyAttribute>() is not null)
            .Select(endpoint => endpoint.Function)];
    }

    /// <summary>The body as a stream from the client.</summary>
    public IncomingBody Open(HttpContext http)
    {
        if (IncomingBody.Find(http) is { } opened)
            return opened;
        var fingerprints = http.FindCaller() is not null && http.Request.Headers.ContainsKey(IdempotencyKey.Header);
        return IncomingBody.Open(http, options, time, fingerprints);
    }

    /// <summary>Receives the body, unless that was done before or the endpoint streams it.</summary>
    /// <exception cref="ProblemException">408, 413, 415, or 400 if the body does not match its encoding.</exception>
    public async Task ReceiveAsync(HttpContext http, string function, CancellationToken ct)
    {
        if (!http.Items.TryAdd(Received, true))
            return;
        var request = http.Request;
        if (request.ContentLength == 0
            || http.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false })
        {
            request.Body = Stream.Null;
            return;
        }

        var body = ContentCodings.Decode(request, Open(http));
        if (streaming.Contains(function))
        {
            request.Body = body;
            return;
        }

        if (request.ContentLength > RequestBody.MaxBytes)
            throw RequestBody.TooLarge(RequestBody.MaxBytes);
        var held = inFlight.Take(http.FindCaller()?.Tenant ?? new TenantId(Guid.Empty), Step);
        http.Response.RegisterForDispose(held);
        try
        {
            request.Body = await ReadAsync(body, (int?)request.ContentLength, held, ct);
        }
        catch (Exception e) when (ContentCodings.Explains(e))
        {
            throw new ProblemException(ContentCodings.Broken());
        }

        request.Headers.Remove("Transfer-Encoding");
        request.ContentLength = request.Body.Length;
    }

    private static async Task<MemoryStream> ReadAsync(Stream body, int? expected, HeldBytes held, CancellationToken ct)
    {
        // Memory is reserved as it is needed, not by Content-Length: a client that announces much and sends little
        // holds little.
        var buffer = new byte[Math.Min(expected + 1 ?? Step, Step)];
        var length = 0;
        while (await body.ReadAsync(buffer.AsMemory(length), ct) is var read and > 0)
        {
            length += read;
            if (length > RequestBody.MaxBytes)
                throw RequestBody.TooLarge(RequestBody.MaxBytes);
            if (length < buffer.Length)
                continue;
            var larger = Math.Min(2 * buffer.Length, RequestBody.MaxBytes + 1);
            held.Grow(larger - buffer.Length);
            Array.Resize(ref buffer, larger);
        }

        return new MemoryStream(buffer, 0, length, writable: false);
    }
}
