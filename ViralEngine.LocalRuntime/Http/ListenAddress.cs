using System.Globalization;
using Microsoft.AspNetCore.Builder;

namespace ViralEngine.LocalRuntime.Http;

/// <summary>Where the app listens: the settings of ASP.NET Core when there are any, else <c>port</c> on loopback.
/// </summary>
internal static class ListenAddress
{
    private const int DefaultPort = 7071;

    /// <exception cref="InvalidOperationException"><c>port</c> is not a number from 0 to 65535.</exception>
    public static void Apply(WebApplication app)
    {
        var settings = app.Configuration;
        if (!string.IsNullOrEmpty(settings["urls"]) || settings.GetSection("Kestrel:Endpoints").GetChildren().Any())
            return;
        var port = settings["port"];
        if (port is null && !string.IsNullOrEmpty(settings["http_ports"] + settings["https_ports"]))
            return;
        if (!ushort.TryParse(port ?? $"{DefaultPort}", CultureInfo.InvariantCulture, out var number))
            throw new InvalidOperationException($"Setting 'port' is '{port}'. It should be a number from 0 to 65535.");
        app.Urls.Add($"http://127.0.0.1:{number}");
    }
}
