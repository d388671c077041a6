using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.OpenApi;

/// <summary>The document that the app gives of itself, under Redocly's linter with its recommended rules.</summary>
[Trait("Category", "BlackBox")]
public sealed class LintTests(ApiUnderTest app) : IClassFixture<ApiUnderTest>
{
    [Fact]
    public async Task The_document_has_no_fault_that_the_linter_knows()
    {
        using var document = await OpenApiTools.SaveAsync(app);

        await OpenApiTools.Npm.RunAsync(
            "npx", ["--no-install", "redocly", "lint", document.Path, "--config", "redocly.yaml"]);
    }
}
