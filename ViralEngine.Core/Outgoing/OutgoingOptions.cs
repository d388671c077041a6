using System.ComponentModel.DataAnnotations;
using System.Net;

namespace ViralEngine.Core.Outgoing;

/// <summary>Settings of every call to an address that a tenant chose, section <c>Outgoing</c>.</summary>
public sealed class OutgoingOptions : IValidatableObject
{
    public const string Section = "Outgoing";

    /// <summary>
    /// Networks in CIDR form that may be called although they are private, such as <c>10.20.0.0/16</c>. None by
    /// default; the local stack allows loopback. Cloud metadata addresses stay refused whatever is listed.
    /// </summary>
    public IList<string> AllowedNetworks { get; init; } = [];

    /// <summary>Seconds to resolve a name and to connect.</summary>
    [Range(1, 120)]
    public int ConnectTimeoutSeconds { get; set; } = 10;

    /// <summary>Bytes of an answer's body that are read; a longer one is an error.</summary>
    [Range(1, 1024L * 1024 * 1024)]
    public long MaxResponseBytes { get; set; } = 10 * 1024 * 1024;

    /// <summary>Connections to one host and port at a time from one instance; more calls wait their turn.</summary>
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
