using System.Net;
using System.Text;

namespace ViralEngine.Testing;

/// <summary>JSON whose second half is sent when it is let.</summary>
public sealed class HeldBody : HttpContent
{
    private readonly byte[] json;
    private readonly TaskCompletionSource halfSent = new();
    private readonly TaskCompletionSource released = new();

    public HeldBody(string json)
    {
        this.json = Encoding.UTF8.GetBytes(json);
        Headers.ContentType = new("application/json");
    }

    public Task HalfSent => halfSent.Task;

    public void Release() => released.SetResult();

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        await stream.WriteAsync(json.AsMemory(0, json.Length / 2));
        await stream.FlushAsync();
        halfSent.SetResult();
        await released.Task;
        await stream.WriteAsync(json.AsMemory(json.Length / 2));
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
