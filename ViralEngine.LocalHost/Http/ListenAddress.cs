using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;

namespace ViralEngine.LocalHost.Http;

/// <summary>
/// Where the app listens: <c>ASPNETCORE_URLS</c> (several with <c>;</c>), or the endpoints of section <c>Kestrel</c>,
/// else
/// <c>port</c> on loopback, 7071 unless it is set. The worker by itself would listen on a port of its own choice.
/// </summary>
internal static class ListenAddress
{
    private const int DefaultPort = 7071;

    /// <exception cref="InvalidOperationException">An address is not valid, or <c>port</c> is not a port.</exception>
    public static void Apply(KestrelServerOptions kestrel, IConfiguration settings)
    {
        kestrel.AddServerHeader = false;
        var section = settings.GetSection("Kestrel");
        if (section.GetSection("Endpoints").GetChildren().Any())
        {
            kestrel.Configure(section);
            return;
        }

        if (Environment.GetEnvironmentVariable("ASPNETCORE_URLS") is { Length: > 0 } urls)
        {
            foreach (var url in urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
                Listen(kestrel, url);
            return;
        }

        var port = settings["port"] ?? $"{DefaultPort}";
        if (!ushort.TryParse(port, CultureInfo.InvariantCulture, out var number))
            throw new InvalidOperationException($"Setting 'port' is '{port}'. It must be a number from 0 to 65535.");
        kestrel.Listen(IPAddress.Loopback, number);
    }

    private static void Listen(KestrelServerOptions kestrel, string url)
    {
        BindingAddress address;
        try
        {
            address = BindingAddress.Parse(url);
        }
        catch (FormatException exception)
        {
            throw new InvalidOperationException($"ASPNETCORE_URLS: {exception.Message}", exception);
        }

        if (address.IsUnixPipe)
            kestrel.ListenUnixSocket(address.UnixPipePath, Secure);
        else if (address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase))
            kestrel.ListenLocalhost(address.Port, Secure);
        else if (IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip))
            kestrel.Listen(ip, address.Port, Secure);
        else
            kestrel.ListenAnyIP(address.Port, Secure);

        void Secure(ListenOptions listen)
        {
            if (address.Scheme.Equals("https", StringComparison.OrdinalIgnoreCase)) listen.UseHttps();
        }
    }
}
