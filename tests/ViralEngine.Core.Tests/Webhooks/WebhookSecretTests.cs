using ViralEngine.Core.Webhooks;

namespace ViralEngine.Core.Tests.Webhooks;

public sealed class WebhookSecretTests
{
    [Fact]
    public void Makes_secrets_of_32_random_bytes()
    {
        var secrets = Enumerable.Range(0, 100).Select(_ => WebhookSecret.Create()).ToList();

        Assert.All(secrets, secret => Assert.True(WebhookSecret.IsValid(secret)));
        Assert.Equal(100, secrets.Distinct().Count());
        Assert.Equal(32, WebhookSecret.KeyOf(secrets[0]).Length);
    }

    [Theory]
    [InlineData(23, false)]
    [InlineData(24, true)]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public void Takes_24_to_64_bytes(int bytes, bool valid) =>
        Assert.Equal(valid, WebhookSecret.IsValid("whsec_" + Convert.ToBase64String(new byte[bytes])));

    [Theory]
    [InlineData("")]
    [InlineData("whsec_")]
    [InlineData("whsec_not base64 at all, not at all, no")]
    [InlineData("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")]
    [InlineData("whsec_AAECAwQFBgcICQoLDA0ODxAREhMU\nFRYXGBkaGxwdHh8=")]
    [InlineData("WHSEC_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")]
    public void Refuses_what_is_not_a_secret(string secret) => Assert.False(WebhookSecret.IsValid(secret));

    [Theory]
    [InlineData("*", true)]
    [InlineData("task.*", true)]
    [InlineData("task.completed", true)]
    [InlineData("approval.expired", true)]
    [InlineData("approval.timed_out", false)]
    [InlineData("tasks.*", false)]
    [InlineData("task", false)]
    [InlineData("task.", false)]
    [InlineData("*.completed", false)]
    [InlineData("task.completed\n", false)]
    public void Knows_what_may_be_subscribed_to(string pattern, bool known) =>
        Assert.Equal(known, WebhookEventTypes.IsPattern(pattern));
}
