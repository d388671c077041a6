using System.Collections.Frozen;
using System.Security.Cryptography;

namespace ViralEngine.Console.Shell;

/// <summary>
/// Stylesheet and scripts, under URLs that change with their content, so that browsers can cache them permanently.
/// </summary>
public static class AssetFiles
{
    private static readonly FrozenDictionary<string, Asset> ByAddress = Load(
        "console.css", "console.js", "forms.js", "icon.svg", "upload.js");
    private static readonly FrozenDictionary<string, string> Addresses =
        ByAddress.Values.ToFrozenDictionary(asset => asset.Name, asset => "/console/assets/" + asset.Address);

    /// <summary>The URL of an asset.</summary>
    public static string AddressOf(string name) => Addresses[name];

    /// <summary>
    /// Finds an asset by the last part of its URL; null if it does not exist or is of another version.
    /// </summary>
    public static Asset? Find(string address) => ByAddress.GetValueOrDefault(address);

    private static FrozenDictionary<string, Asset> Load(params string[] names) =>
        names.Select(Read).ToFrozenDictionary(asset => asset.Address);

    private static Asset Read(string name)
    {
        using var stream = typeof(AssetFiles).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The assembly has no resource {name}.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        var hash = Convert.ToHexStringLower(SHA256.HashData(bytes))[..16];
        var type = Path.GetExtension(name) switch
        {
            ".css" => "text/css; charset=utf-8",
            ".js" => "text/javascript; charset=utf-8",
            _ => "image/svg+xml",
        };
        return new Asset(name, $"{hash}-{name}", type, bytes);
    }
}

/// <param name="Address">Its name, prefixed with a hash of its content.</param>
public sealed record Asset(string Name, string Address, string ContentType, byte[] Bytes);
