using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.OpenApi;

/// <summary>
/// Clients that generators make of the app's document: they compile, and a story of ten calls, told in each of them,
/// runs. What the story reads and writes is typed, so that it fails to compile where the document says less than is
/// true.
/// </summary>
[Trait("Category", "BlackBox")]
public sealed class ClientTests(ApiUnderTest app) : IClassFixture<ApiUnderTest>
{
    [Fact]
    public async Task Types_for_TypeScript_compile_with_a_story_that_runs()
    {
        using var tenant = await app.NewTenantAsync();
        using var document = await OpenApiTools.SaveAsync(app);
        var npm = OpenApiTools.Npm;

        await npm.RunAsync(
            "npx",
            [
                "--no-install", "openapi-typescript", document.Path, "-o", "generated/schema.d.ts",
                "--default-non-nullable", "false"
            ]);
        await npm.RunAsync("npx", ["--no-install", "tsc", "-p", "tsconfig.json"]);
        var told = await npm.RunAsync("node", ["out/story.mjs", .. await ArgumentsAsync(tenant)]);

        Assert.Equal("told", told.Trim());
    }

    [Fact]
    public async Task A_client_for_CSharp_compiles_with_a_story_that_runs()
    {
        using var tenant = await app.NewTenantAsync();
        using var document = await OpenApiTools.SaveAsync(app);
        var folder = Path.Combine(Repository.Root, ".local", "openapi-client");
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests", "openapi", "csharp")))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));

        await DotnetAsync(Repository.Root, "tool", "restore");
        await DotnetAsync(
            Repository.Root, "kiota", "generate", "--language", "CSharp", "--openapi", document.Path, "--class-name",
            "EngineClient", "--namespace-name", "ViralEngine.Client", "--output", Path.Combine(folder, "Client"),
            "--log-level", "Warning", "--structured-mime-types", "application/json", "--structured-mime-types",
            "application/problem+json",
            "--structured-mime-types", "application/merge-patch+json");
        await DotnetAsync(
            folder, "build", "Story.csproj", "--configuration", "Release", "--output", "built", "-nodeReuse:false");
        var told = await DotnetAsync(folder, ["built/Story.dll", .. await ArgumentsAsync(tenant)]);

        Assert.Equal("told", told.Trim());
    }

    private static Task<string> DotnetAsync(string folder, params string[] args) => Programs.RunAsync(
        folder, "dotnet", args,
        environment: new Dictionary<string, string?>
        {
            ["KIOTA_OFFLINE_ENABLED"] = "true",
            ["MSBUILDDISABLENODEREUSE"] = "1"
        });

    private async Task<string[]> ArgumentsAsync(TestTenant tenant) =>
        [app.Address.ToString().TrimEnd('/'), tenant.OwnerKey, await tenant.NewKeyAsync("approver")];
}
