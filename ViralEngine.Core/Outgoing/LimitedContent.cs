using System.Net;

namespace ViralEngine.Core.Outgoing;

/// <summary>A response body that throws <see cref="ResponseTooLargeException"/> beyond its limit.</summary>
internal sealed class LimitedContent : HttpContent
{
    private readonly HttpContent inner;
    private readonly long limit;

    public LimitedContent(HttpContent inner, long limit)
    {
        (this.inner, this.limit) = (inner, limit);
        foreach (var (name, values) in inner.Headers.NonValidated)
            Headers.TryAddWithoutValidation(name, values);
    }

    protected override async Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken)
    {
        if (inner.Headers.ContentLength > limit)
            throw new ResponseTooLargeException(limit);

        return new LimitedStream(await inner.ReadAsStreamAsync(cancellationToken), limit);
    }

    protected override Task<Stream> CreateContentReadStreamAsync() => CreateContentReadStreamAsync(default);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, default);

    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await using var body = await CreateContentReadStreamAsync(cancellationToken);
        await body.CopyToAsync(stream, cancellationToken);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = inner.Headers.ContentLength ?? 0;
        return inner.Headers.ContentLength is not null;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }

    private sealed class LimitedStream(Stream inner, long limit) : ReadThroughStream(inner)
    {
        private long read;

        protected override int Pass(int bytes)
        {
            read += bytes;
            return read <= limit ? bytes : throw new ResponseTooLargeException(limit);
        }
    }
}
