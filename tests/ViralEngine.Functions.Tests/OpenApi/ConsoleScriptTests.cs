using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.OpenApi;

/// <summary>The console's scripts under TypeScript's compiler: their JSDoc says what everything is.</summary>
public sealed class ConsoleScriptTests
{
    [Fact]
    public async Task Scripts_are_of_the_types_that_they_say()
    {
        var scripts = Directory.GetFiles(Path.Combine(Repository.Root, "ViralEngine.Console", "Assets"), "*.js");
        Assert.NotEmpty(scripts);

        await OpenApiTools.Npm.RunAsync(
            "npx",
            [
                "--no-install", "tsc", "--noEmit", "--allowJs", "--checkJs", "--strict", "--target", "es2022",
                "--module", "es2022", "--moduleDetection", "force", "--lib", "es2022,dom,dom.iterable",
                // A folder that is not there: the types of Node, which are in the packages, are not a browser's.
                "--typeRoots", "no-types", .. scripts,
            ]);
    }
}
