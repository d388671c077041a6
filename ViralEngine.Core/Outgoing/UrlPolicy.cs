using System.Net;

namespace ViralEngine.Core.Outgoing;

/// <summary>
/// The URLs that tenants may configure. Checks the text, for a clear error when it is configured; addresses are checked
/// when a connection is opened (<see cref="GuardedConnector"/>).
/// </summary>
/// <remarks>
/// Ports: 80, 443 and everything from 1024. Lower ports belong to mail, shell and directory services, which must not
/// receive HTTP requests from the app; higher ones commonly serve HTTP, and internal services are rejected by address.
/// </remarks>
public sealed class UrlPolicy(AddressPolicy addresses)
{
    public const int MaxLength = 2048;

    /// <summary>Null if the URL may be used, else an error message.</summary>
    public string? Check(string url)
    {
        if (url.Length > MaxLength)
            return $"Must have at most {MaxLength} characters.";

        // URL parsers disagree on these characters, so that a check by one does not protect a connection by another.
        if (url.Any(c => c is <= ' ' or '\\' or >= '\x7f'))
            return "Must be plain ASCII without spaces, control characters or backslashes "
                + "(write an international name in its xn-- form, other characters percent-encoded).";

        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri))
            return "Must be an absolute URL, such as https://example.com/hook.";

        return Check(uri);
    }

    internal string? Check(Uri uri)
    {
        if (uri.Scheme != Uri.UriSchemeHttps && uri.Scheme != Uri.UriSchemeHttp)
            return "Must be an https or http URL.";

        if (uri.UserInfo.Length > 0
            || uri.OriginalString.Split('/', '?', '#').ElementAtOrDefault(2)?.Contains('@') == true)
            return "Must not contain a user name or password.";

        if (!AllowsPort(uri.Port))
            return $"Must not use port {uri.Port}: 80, 443 and those from 1024 are allowed.";

        if (uri.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6)
            return addresses.Allows(IPAddress.Parse(uri.DnsSafeHost)) ? null : NotReachable;

        if (uri.HostNameType != UriHostNameType.Dns || !uri.Host.All(IsNameCharacter))
            return "Must name a host by its DNS name or address.";

        return IsLocal(uri.Host) && !addresses.Allows(IPAddress.Loopback) || IsMetadata(uri.Host) ? NotReachable : null;
    }

    internal static bool AllowsPort(int port) => port is 80 or 443 or >= 1024;

    private const string NotReachable = "Must not point to a private, loopback, link-local or reserved address.";

    private static bool IsNameCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_';

    // RFC 6761, section 6.3.
    private static bool IsLocal(string host) =>
        host.TrimEnd('.') is var name
        && (name.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase));

    private static bool IsMetadata(string host) =>
        host.TrimEnd('.').Equals("metadata.google.internal", StringComparison.OrdinalIgnoreCase)
        || host.TrimEnd('.').Equals("metadata.goog", StringComparison.OrdinalIgnoreCase);
}
