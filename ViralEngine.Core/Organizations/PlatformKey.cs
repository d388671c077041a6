using Microsoft.Extensions.Options;

namespace ViralEngine.Core.Organizations;

/// <summary>The platform key as it is compared: by its hash, made once.</summary>
public sealed class PlatformKey(IOptions<AuthOptions> options)
{
    public byte[]? Hash { get; } = options.Value.PlatformKey is { } key ? ApiKeySecret.Hash(key) : null;
}
