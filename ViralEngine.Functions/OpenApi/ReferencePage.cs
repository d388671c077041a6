using System.Security.Cryptography;
using System.Text;

namespace ViralEngine.Functions.OpenApi;

/// <summary>
/// The API reference: one page that renders the document of this instance. Its script and style are inline, allowed by
/// their hashes, and it loads nothing from other sites.
/// </summary>
internal sealed class ReferencePage
{
    public ReferencePage()
    {
        var script = Resource("reference.js");
        var style = Resource("reference.css");
        Bytes = Encoding.UTF8.GetBytes(Resource("reference.html")
            .Replace("/*style*/", style, StringComparison.Ordinal)
            .Replace("/*script*/", script, StringComparison.Ordinal));
        ETag = $"\"{Convert.ToHexStringLower(SHA256.HashData(Bytes))[..32]}\"";
        ContentSecurityPolicy =
            $"default-src 'none'; script-src '{Hash(script)}'; style-src '{Hash(style)}'; "
            + "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    }

    public byte[] Bytes { get; }

    public string ETag { get; }

    public string ContentSecurityPolicy { get; }

    private static string Hash(string text) =>
        "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static string Resource(string name)
    {
        using var stream = typeof(ReferencePage).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The resource {name} is not in the assembly.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
