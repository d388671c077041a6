using System.Diagnostics;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Examples;

/// <summary>The example as it stands, so that it stays true.</summary>
[Trait("Category", "BlackBox")]
public sealed class BatchFromCsvTests(ApiUnderTest app) : IClassFixture<ApiUnderTest>
{
    [Fact]
    public async Task Sends_a_csv_as_a_batch_and_brings_back_an_answer_for_each_row()
    {
        using var tenant = await app.NewTenantAsync();
        var results = Path.GetTempFileName();
        try
        {
            var start = new ProcessStartInfo(
                "bash", [Path.Combine(Repository.Root, "examples", "batch-from-csv", "run.sh"), results])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            start.Environment["VIRAL_URL"] = app.Address.ToString().TrimEnd('/');
            start.Environment["VIRAL_API_KEY"] = tenant.OwnerKey;
            using var script = Process.Start(start)!;
            var errors = script.StandardError.ReadToEndAsync();
            var output = await script.StandardOutput.ReadToEndAsync();
            await script.WaitForExitAsync();

            Assert.True(script.ExitCode == 0, $"{output}\n{await errors}");
            Assert.Contains("360 completed, 0 failed", output);
            Assert.Contains("batch.completed 360 of 360", output);
            var rows = await File.ReadAllTextAsync(results);
            Assert.Contains(
                "T-0001,completed,echo,\"Summarize this ticket and name what the customer wants: "
                + "I returned the Ember desk lamp",
                rows);
            Assert.Contains("\"\"just call them\"\"", rows);
        }
        finally
        {
            File.Delete(results);
        }
    }
}
