namespace ViralEngine.Core.Breakers;

/// <summary>The names of breakers: the host for all tenants, <c>host#tenant</c> for one tenant's calls.</summary>
internal static class BreakerKey
{
    private const char Separator = '#';

    public static string Of(Guid tenant, string host) => $"{host}{Separator}{tenant:N}";

    public static string HostOf(string key) =>
        key.IndexOf(Separator, StringComparison.Ordinal) is var at and >= 0 ? key[..at] : key;
}
