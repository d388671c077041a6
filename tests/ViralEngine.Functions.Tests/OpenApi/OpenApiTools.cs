using System.Net;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.OpenApi;

/// <summary>
/// What others make of the app's document: tests/openapi with its packages, and the document as a file.
/// </summary>
internal static class OpenApiTools
{
    public static readonly NpmFolder Npm = new("openapi");

    /// <summary>The document in a folder of its own, which goes with it.</summary>
    public static async Task<DocumentFile> SaveAsync(ApiUnderTest app)
    {
        using var client = app.NewClient();
        var folder = Directory.CreateTempSubdirectory("openapi-").FullName;
        var file = Path.Combine(folder, "openapi.json");
        await File.WriteAllBytesAsync(
            file, (await client.GetAsync("/api/openapi.json")).Expect(HttpStatusCode.OK).Bytes);
        return new DocumentFile(folder, file);
    }
}

/// <summary>Dispose it.</summary>
internal sealed record DocumentFile(string Folder, string Path) : IDisposable
{
    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
