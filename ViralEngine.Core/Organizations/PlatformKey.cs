using Microsoft.Extensions.Options;

namespace ViralEngine.Core.Organizations;

/// <summary>The platform key, compared by its hash.</summary>
public sealed class PlatformKey(IOptions<AuthOptions> options)
{
    public byte[]? Hash { get; } = options.Value.PlatformKey is { } key ? ApiKeySecret.Hash(key) : null;
}
