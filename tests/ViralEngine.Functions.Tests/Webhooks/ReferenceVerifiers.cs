using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Webhooks;

/// <summary>
/// The verifiers <c>standardwebhooks</c> and <c>svix</c> from npm, as receivers use them. Installed once for each state of
/// tests/webhooks-verify/package-lock.json, under .local.
/// </summary>
internal static class ReferenceVerifiers
{
    private static readonly string Source = Path.Combine(Repository.Root, "tests", "webhooks-verify");
    private static readonly Lazy<Task<string>> Installed = new(InstallAsync);

    /// <summary>Fails unless both accept the message under the secret.</summary>
    public static async Task AssertAcceptAsync(string secret, params IEnumerable<ReceivedWebhook> webhooks) =>
        Assert.All(await VerdictsAsync(secret, webhooks), verdict => Assert.Equal(new Verdict(null, null), verdict));

    /// <summary>Fails unless both refuse the message under the secret.</summary>
    public static async Task AssertRefuseAsync(string secret, params IEnumerable<ReceivedWebhook> webhooks) =>
        Assert.All(
            await VerdictsAsync(secret, webhooks),
            verdict => Assert.Equal(new Verdict("No matching signature found", "No matching signature found"), verdict));

    private static async Task<Verdict[]> VerdictsAsync(string secret, IEnumerable<ReceivedWebhook> webhooks)
    {
        var messages = webhooks.Select(webhook => new { secret, headers = webhook.Headers, body = webhook.Body }).ToList();
        Assert.NotEmpty(messages);
        var output = await RunAsync("node", ["verify.mjs"], await Installed.Value, JsonSerializer.Serialize(messages));
        return JsonSerializer.Deserialize<Verdict[]>(output, JsonSerializerOptions.Web)!;
    }

    private static async Task<string> InstallAsync()
    {
        var hash = SHA256.HashData(await File.ReadAllBytesAsync(Path.Combine(Source, "package-lock.json")));
        var folder = Path.Combine(Repository.Root, ".local", "webhooks-verify", Convert.ToHexStringLower(hash)[..16]);
        Directory.CreateDirectory(folder);
        foreach (var file in new[] { "package.json", "package-lock.json", "verify.mjs" })
            File.Copy(Path.Combine(Source, file), Path.Combine(folder, file), overwrite: true);
        if (!File.Exists(Path.Combine(folder, "installed")))
        {
            await RunAsync("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"], folder, "");
            await File.WriteAllTextAsync(Path.Combine(folder, "installed"), "");
        }

        return folder;
    }

    private static async Task<string> RunAsync(string program, string[] args, string folder, string input)
    {
        using var process = Process.Start(new ProcessStartInfo(program, args)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(5));
        Assert.True(process.ExitCode == 0, $"{program} ended with {process.ExitCode}:\n{await errors}\n{await output}");
        return await output;
    }

    private sealed record Verdict(string? Standardwebhooks, string? Svix);
}
