using ViralEngine.Core.Outgoing;

namespace ViralEngine.Core.Agents;

/// <summary>A response body that reports whenever bytes arrive.</summary>
internal sealed class HeardStream(Stream inner, Action? heard) : ReadThroughStream(inner)
{
    protected override int Pass(int bytes)
    {
        if (bytes > 0)
            heard?.Invoke();
        return bytes;
    }
}
