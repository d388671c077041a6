using System.Net;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.OpenApi;

/// <summary>The document that the app gives of itself, under Redocly's linter with its recommended rules.</summary>
[Trait("Category", "BlackBox")]
public sealed class LintTests(ApiUnderTest app) : IClassFixture<ApiUnderTest>
{
    private static readonly NpmFolder Linter = new("openapi");

    [Fact]
    public async Task The_document_has_no_fault_that_the_linter_knows()
    {
        using var client = app.NewClient();
        var file = Path.Combine(Path.GetTempPath(), $"openapi-{Guid.NewGuid():n}.json");
        try
        {
            await File.WriteAllBytesAsync(file, (await client.GetAsync("/api/openapi.json")).Expect(HttpStatusCode.OK).Bytes);

            await Linter.RunAsync("npx", ["--no-install", "redocly", "lint", file, "--config", "redocly.yaml"]);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
