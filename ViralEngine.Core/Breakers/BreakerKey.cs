namespace ViralEngine.Core.Breakers;

/// <summary>The names of breakers: a host's, for all, and <c>host#tenant</c> for the calls of one tenant to it.</summary>
internal static class BreakerKey
{
    private const char Separator = '#';

    public static string Of(Guid tenant, string host) => $"{host}{Separator}{tenant:N}";

    public static string HostOf(string key) => key.IndexOf(Separator, StringComparison.Ordinal) is var at and >= 0 ? key[..at] : key;
}
