using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using ViralEngine.Core.Idempotency;

namespace ViralEngine.Functions.Requests;

/// <summary>
/// A request's body as a stream from the client. A client below the minimum rate gets 408; only time spent waiting for
/// the client counts. With an <c>Idempotency-Key</c>, the fingerprint is computed on the way.
/// </summary>
internal sealed class IncomingBody : Stream
{
    private static readonly object Key = new();
    private readonly Stream body;
    private readonly EdgeOptions options;
    private readonly TimeProvider time;
    private readonly CancellationTokenSource clock;
    private readonly IncrementalHash? hash;
    private TimeSpan waited;
    private long length;

    private IncomingBody(HttpContext http, EdgeOptions options, TimeProvider time, bool fingerprints)
    {
        body = http.Request.Body;
        this.options = options;
        this.time = time;
        clock = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        if (!fingerprints)
            return;
        hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var request = http.Request;
        // Both parts are escaped, so neither contains a line break.
        hash.AppendData(Encoding.UTF8.GetBytes(
            $"{request.Method} {request.PathBase.ToUriComponent()}{request.Path.ToUriComponent()}"
            + $"{request.QueryString.ToUriComponent()}\n"));
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => length;
        set => throw new NotSupportedException();
    }

    /// <summary>Wraps the request's body.</summary>
    public static IncomingBody Open(HttpContext http, EdgeOptions options, TimeProvider time, bool fingerprints)
    {
        var body = new IncomingBody(http, options, time, fingerprints);
        http.Items[Key] = body;
        http.Response.RegisterForDispose(body);
        return body;
    }

    public static IncomingBody? Find(HttpContext http) =>
        http.Items.TryGetValue(Key, out var body) ? (IncomingBody)body! : null;

    /// <summary>
    /// The request's fingerprint, once its body has been read; null if it exceeds <paramref name="most"/> bytes.
    /// </summary>
    public async Task<Fingerprint?> FinishAsync(long most, CancellationToken ct)
    {
        var buffer = new byte[16 * 1024];
        while (length <= most && await ReadAsync(buffer, ct) > 0)
        {
        }

        return length > most ? null : new Fingerprint(hash!.GetCurrentHash(), length);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var reading = body.ReadAsync(buffer, clock.Token);
        var read = reading.IsCompletedSuccessfully ? reading.Result : await WaitAsync(reading, cancellationToken);
        hash?.AppendData(buffer.Span[..read]);
        length += read;
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("Bodies are read asynchronously.");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            hash?.Dispose();
            clock.Dispose();
        }

        base.Dispose(disposing);
    }

    private async ValueTask<int> WaitAsync(ValueTask<int> reading, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        var allowed = TimeSpan.FromSeconds(
            options.BodyGraceSeconds + (length / (double)options.MinBodyBytesPerSecond)) - waited;
        clock.CancelAfter(allowed > TimeSpan.Zero ? allowed : TimeSpan.Zero);
        await using var left = ct.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), clock);
        try
        {
            return await reading;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested && clock.IsCancellationRequested)
        {
            throw new ProblemException(TooSlow());
        }
        finally
        {
            waited += time.GetElapsedTime(started);
            clock.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    // RFC 9110, section 15.5.9: the connection is closed.
    private Problem TooSlow() => new(
        408, "body-too-slow", "The body arrived too slowly.",
        $"Send at least {options.MinBodyBytesPerSecond:N0} bytes per second on average; "
        + $"this is checked after {options.BodyGraceSeconds:N0} s of waiting.")
    {
        Headers = new Dictionary<string, string> { ["Connection"] = "close" },
    };
}
