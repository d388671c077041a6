using System.ComponentModel.DataAnnotations;
using System.Net;

namespace ViralEngine.Functions.Requests;

/// <summary>Section <c>Edge</c>: what stands between callers and the app.</summary>
internal sealed class EdgeOptions : IValidatableObject
{
    public const string Section = "Edge";

    /// <summary>
    /// Id of the Azure Front Door in front of the app. If a request has it (<c>X-Azure-FDID</c>),
    /// <c>X-Azure-ClientIP</c> is the caller's address; other Front Doors are not trusted.
    /// </summary>
    public string? FrontDoorId { get; set; }

    /// <summary>
    /// Header in which another front end reports the caller's address, overwriting what the caller sent.
    /// </summary>
    public string? ClientAddressHeader { get; set; }

    /// <summary>
    /// Address under which clients reach the API, such as <c>https://api.example.com</c>: used in links and the API's
    /// document. By default the address of the request.
    /// </summary>
    public string? PublicUrl { get; set; }

    /// <summary>
    /// Networks (CIDR) of proxies whose <c>X-Forwarded-Proto</c> and <c>X-Forwarded-Host</c> are trusted.
    /// </summary>
    public IReadOnlyList<string> TrustedProxies { get; set; } = [];

    /// <summary>Bytes per second, on average, at which a client must send its body.</summary>
    [Range(1, 1_000_000)]
    public int MinBodyBytesPerSecond { get; set; } = 1000;

    /// <summary>Seconds of waiting before that rate is enforced.</summary>
    [Range(0.1, 300)]
    public double BodyGraceSeconds { get; set; } = 5;

    /// <summary>
    /// Bytes of bodies and results that this process holds in memory; one tenant may hold half of them.
    /// </summary>
    [Range(4L << 20, 1L << 40)]
    public long MaxBytesInFlight { get; set; } = 256L << 20;

    /// <summary>Concurrent requests of one tenant in this process.</summary>
    [Range(1, 1_000_000)]
    public int MaxRequestsPerTenant { get; set; } = 1000;

    /// <summary>Open event streams of one tenant in this process.</summary>
    [Range(1, 1_000_000)]
    public int MaxStreamsPerTenant { get; set; } = 4000;

    /// <summary>Concurrent batch uploads and result downloads of one tenant in this process.</summary>
    [Range(1, 1_000_000)]
    public int MaxTransfersPerTenant { get; set; } = 100;

    /// <summary>Seconds after which a statement of a request times out.</summary>
    [Range(0.1, 600)]
    public double StatementTimeoutSeconds { get; set; } = 15;

    /// <summary>Seconds between checks of a stream's caller.</summary>
    [Range(0.1, 300)]
    public double CallerCheckSeconds { get; set; } = 10;

    /// <summary>Whether an address belongs to a trusted proxy.</summary>
    public bool Trusts(IPAddress? peer)
    {
        var address = peer is { IsIPv4MappedToIPv6: true } ? peer.MapToIPv4() : peer;
        return address is not null && TrustedProxies.Any(network => IPNetwork.Parse(network).Contains(address));
    }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (PublicUrl is not null
            && !(Uri.TryCreate(PublicUrl, UriKind.Absolute, out var url) && url.Scheme is ("http" or "https")
            && url.Query.Length == 0 && url.Fragment.Length == 0))
        {
            yield return new ValidationResult(
                "Edge:PublicUrl must be an absolute http or https URL, such as https://api.example.com.");
        }

        foreach (var network in TrustedProxies.Where(network => !IPNetwork.TryParse(network, out _)))
            yield return new ValidationResult($"Edge:TrustedProxies: '{network}' is not a network such as 10.0.0.0/8.");
    }
}
