using System.Text.Json;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Webhooks;

/// <summary>The verifiers <c>standardwebhooks</c> and <c>svix</c> from npm, as receivers use them.</summary>
internal static class ReferenceVerifiers
{
    private static readonly NpmFolder Verifiers = new("webhooks-verify");

    /// <summary>Fails unless both accept the message under the secret.</summary>
    public static async Task AssertAcceptAsync(string secret, params IEnumerable<ReceivedWebhook> webhooks) =>
        Assert.All(await VerdictsAsync(secret, webhooks), verdict => Assert.Equal(new Verdict(null, null), verdict));

    /// <summary>Fails unless both refuse the message under the secret.</summary>
    public static async Task AssertRefuseAsync(string secret, params IEnumerable<ReceivedWebhook> webhooks) =>
        Assert.All(
            await VerdictsAsync(secret, webhooks),
            verdict => Assert.Equal(
                new Verdict("No matching signature found", "No matching signature found"), verdict));

    private static async Task<Verdict[]> VerdictsAsync(string secret, IEnumerable<ReceivedWebhook> webhooks)
    {
        var messages = webhooks.Select(webhook => new { secret, headers = webhook.Headers, body = webhook.Body })
            .ToList();
        Assert.NotEmpty(messages);
        var output = await Verifiers.RunAsync("node", ["verify.mjs"], JsonSerializer.Serialize(messages));
        return JsonSerializer.Deserialize<Verdict[]>(output, JsonSerializerOptions.Web)!;
    }

    private sealed record Verdict(string? Standardwebhooks, string? Svix);
}
