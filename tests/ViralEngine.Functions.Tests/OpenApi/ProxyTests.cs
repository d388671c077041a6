using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.OpenApi;

/// <summary>
/// The calls of the README's tour through Prism, which holds each request and answer against the document.
/// </summary>
[Trait("Category", "BlackBox")]
public sealed partial class ProxyTests(ApiUnderTest app) : IClassFixture<ApiUnderTest>
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task A_validating_proxy_has_nothing_to_say_of_the_tour()
    {
        using var tenant = await app.NewTenantAsync();
        using var document = await OpenApiTools.SaveAsync(app);
        var lines = new ConcurrentQueue<string>();
        var port = FreePort.Take();
        await using var proxy = await OpenApiTools.Npm.StartAsync(
            "node_modules/@stoplight/prism-cli/dist/index.js",
            ["proxy", document.Path, new Uri(app.Address, "/api").ToString(), "--port", $"{port}", "--errors"],
            line => lines.Enqueue(line ?? ""));
        await Eventually.TrueAsync(
            () => lines.Any(line => line.Contains("Prism is listening")), "Prism to listen", Patience);

        // Until then it lists the operations with values of its own making, which may be words like "error".
        lines.Clear();

        // Prism knows paths as the document has them, without the server's own.
        var tour = (await TourAsync()).Replace("$VIRAL_URL/api/", "$VIRAL_URL/", StringComparison.Ordinal);
        var output = await Programs.RunAsync(Repository.Root, "bash", ["-u"], tour, new Dictionary<string, string?>
        {
            ["VIRAL_URL"] = $"http://127.0.0.1:{port}",
            ["VIRAL_API_KEY"] = tenant.OwnerKey,
            ["VIRAL_APPROVER_KEY"] = await tenant.NewKeyAsync("approver"),
        });

        Assert.Contains("batch.completed", output);
        Assert.Contains("workflow.completed", output);
        Assert.DoesNotContain("stoplight.io/prism/errors", output);
        var complaints = lines.Where(line => Complaint().IsMatch(line)).ToList();
        Assert.True(complaints.Count == 0, string.Join('\n', complaints));
        Assert.True(
            lines.Count(line => line.Contains("[HTTP SERVER]", StringComparison.Ordinal)) > 25,
            string.Join('\n', lines));
    }

    /// <summary>
    /// The blocks of shell of the section as they stand, but for the one that starts with the keys of ./dev run.
    /// </summary>
    private static async Task<string> TourAsync()
    {
        var readme = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "README.md"));
        var section = readme[readme.IndexOf("## Five minutes with curl", StringComparison.Ordinal)..];
        section = section[..section.IndexOf("\n## ", 3, StringComparison.Ordinal)];
        return string.Join('\n', Block().Matches(section).Select(block => block.Groups[1].Value)).Replace(
            "source .local/demo.env\n", "", StringComparison.Ordinal);
    }

    [GeneratedRegex("```bash\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex("violation|error|✖", RegexOptions.IgnoreCase)]
    private static partial Regex Complaint();
}
