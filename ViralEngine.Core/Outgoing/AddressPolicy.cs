using System.Net;
using System.Net.Sockets;

namespace ViralEngine.Core.Outgoing;

/// <summary>
/// The addresses that outgoing calls may reach: those that the IANA special-purpose registries (RFC 6890 and its
/// updates) call globally reachable, and those that the settings allow.
/// </summary>
public sealed class AddressPolicy(OutgoingOptions options)
{
    // A cloud's metadata service discloses the machine's credentials to anyone who can reach it.
    private static readonly IPAddress[] Metadata =
    [
        IPAddress.Parse("169.254.169.254"), // AWS, Azure, Google, Oracle, DigitalOcean
        IPAddress.Parse("169.254.170.2"), // AWS ECS task credentials
        IPAddress.Parse("169.254.170.23"), // AWS EKS pod identity
        IPAddress.Parse("168.63.129.16"), // Azure's wire server, a public address
        IPAddress.Parse("100.100.100.200"), // Alibaba
        IPAddress.Parse("192.0.0.192"), // Oracle, classic
        IPAddress.Parse("fd00:ec2::254"), // AWS
        IPAddress.Parse("fd00:ec2::23"), // AWS EKS pod identity
        IPAddress.Parse("fd20:ce::254"), // Google
    ];

    private static readonly IPNetwork[] Special4 =
    [
        IPNetwork.Parse("0.0.0.0/8"), // this network
        IPNetwork.Parse("10.0.0.0/8"), // private
        IPNetwork.Parse("100.64.0.0/10"), // carrier-grade NAT
        IPNetwork.Parse("127.0.0.0/8"), // loopback
        IPNetwork.Parse("169.254.0.0/16"), // link-local
        IPNetwork.Parse("172.16.0.0/12"), // private
        IPNetwork.Parse("192.0.0.0/24"), // IETF protocol assignments
        IPNetwork.Parse("192.0.2.0/24"), // documentation
        IPNetwork.Parse("192.88.99.0/24"), // 6to4 relays
        IPNetwork.Parse("192.168.0.0/16"), // private
        IPNetwork.Parse("198.18.0.0/15"), // benchmarking
        IPNetwork.Parse("198.51.100.0/24"), // documentation
        IPNetwork.Parse("203.0.113.0/24"), // documentation
        IPNetwork.Parse("224.0.0.0/4"), // multicast
        IPNetwork.Parse("240.0.0.0/4"), // reserved, broadcast
    ];

    // Everything outside is rejected: loopback, unique local, link-local, multicast, and the forms that hide an IPv4
    // address (::ffff:0:0/96, ::/96, 64:ff9b::/96, 64:ff9b:1::/48).
    private static readonly IPNetwork GlobalUnicast6 = IPNetwork.Parse("2000::/3");

    private static readonly IPNetwork[] Special6 =
    [
        IPNetwork.Parse("2001::/23"), // IETF protocol assignments, with Teredo, which hides an IPv4 address
        IPNetwork.Parse("2001:db8::/32"), // documentation
        IPNetwork.Parse("2002::/16"), // 6to4, which hides an IPv4 address
        IPNetwork.Parse("3fff::/20"), // documentation
    ];

    private readonly IPNetwork[] allowed = [.. options.AllowedNetworks.Select(n => IPNetwork.Parse(n))];

    public bool Allows(IPAddress address)
    {
        if (Metadata.Any(m => m.Equals(Plain(address))))
            return false;

        if (allowed.Any(n => n.Contains(address)))
            return true;

        return address.AddressFamily switch
        {
            AddressFamily.InterNetwork => !Special4.Any(n => n.Contains(address)),
            AddressFamily.InterNetworkV6 => address.ScopeId == 0
                && GlobalUnicast6.Contains(address)
                && !Special6.Any(n => n.Contains(address)),
            _ => false,
        };
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
