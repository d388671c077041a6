using System.ComponentModel.DataAnnotations;
using System.Net;

namespace ViralEngine.Core.Outgoing;

/// <summary>Settings of calls to URLs that tenants choose, section <c>Outgoing</c>.</summary>
public sealed class OutgoingOptions : IValidatableObject
{
    public const string Section = "Outgoing";

    /// <summary>
    /// Private networks (CIDR) that may be called, such as <c>10.20.0.0/16</c>. None by default; the local stack allows
    /// loopback. Cloud metadata addresses are always rejected.
    /// </summary>
    public IList<string> AllowedNetworks { get; init; } = [];

    /// <summary>Seconds to resolve a name and to connect.</summary>
    [Range(1, 120)]
    public int ConnectTimeoutSeconds { get; set; } = 10;

    /// <summary>Maximum bytes of a response body; a longer one is an error.</summary>
    [Range(1, 1024L * 1024 * 1024)]
    public long MaxResponseBytes { get; set; } = 10 * 1024 * 1024;

    /// <summary>Connections per host and port from one instance; further calls wait.</summary>
    [Range(1, 10_000)]
    public int MaxConnectionsPerHost { get; set; } = 5000;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var network in AllowedNetworks)
        {
            if (!IPNetwork.TryParse(network, out _))
                yield return new ValidationResult(
                    $"Outgoing:AllowedNetworks: '{network}' is not a network such as 10.20.0.0/16 or fd00:1::/64.",
                    [nameof(AllowedNetworks)]);
        }
    }
}
