using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Organizations;

namespace ViralEngine.Core.Tests.Organizations;

/// <summary>
/// Tokens put together by hand and signed: what is refused is refused for what it says, not for its signature.
/// </summary>
public sealed class TokenRulesTests
{
    private const string Key = "a key for the tests of tokens, long enough";
    private const string Claims =
        """{"iss":"viral-engine-dev","aud":"viral-engine","sub":"someone","exp":4102444800}""";

    private static readonly IOptions<AuthOptions> Settings =
        Options.Create(new AuthOptions { JwtSharedKey = Key, Audience = "viral-engine" });

    private readonly TokenValidator validator = new(Settings, new IdentityProvider(Settings), TimeProvider.System);

    [Fact]
    public async Task Accepts_a_token_that_keeps_the_rules() =>
        Assert.Equal(
            ("someone", null),
            await validator.ValidateAsync(Token("""{"alg":"HS256","typ":"JWT","x":"unknown"}""", Claims)));

    [Theory]
    [InlineData("""{"alg":"HS256","crit":["exp"],"exp":1}""")]
    [InlineData("""{"alg":"HS256","crit":["http://example.com/unknown"],"http://example.com/unknown":true}""")]
    [InlineData("""{"alg":"HS256","crit":[]}""")]
    [InlineData("""{"alg":"HS256","crit":null}""")]
    [InlineData("""{"alg":"HS256","crit":["b64"],"b64":true}""")]
    [InlineData("""{"alg":"HS256","b64":false}""")]
    [InlineData("""{"alg":"HS256","b64":"false"}""")]
    [InlineData("""{"alg":"HS256","alg":"HS256"}""")]
    public async Task Refuses_a_header_that_asks_for_what_is_not_understood(string header) =>
        await RefusedAsync(Token(header, Claims));

    [Theory]
    [InlineData("\"\"")]
    [InlineData("17")]
    [InlineData("null")]
    [InlineData("[\"someone\"]")]
    [InlineData("\"some\\u0000one\"")]
    [InlineData("\"someone\\ud83d\"")]
    [InlineData("\"someone\",\"sub\":\"another\"")]
    public async Task Refuses_a_subject_that_is_nobody(string subject) =>
        await RefusedAsync(
            Token("""{"alg":"HS256"}""", Claims.Replace("\"someone\"", subject, StringComparison.Ordinal)));

    [Fact]
    public async Task Refuses_a_subject_beyond_all_length() =>
        await RefusedAsync(
            Token("""{"alg":"HS256"}""", Claims.Replace("someone", new string('s', 10_000), StringComparison.Ordinal)));

    private async Task RefusedAsync(string token)
    {
        var (subject, fault) = await validator.ValidateAsync(token);

        Assert.Null(subject);
        Assert.NotNull(fault);
    }

    private static string Token(string header, string claims)
    {
        var signed = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header))}."
            + $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}";
        var signature = HMACSHA256.HashData(Encoding.UTF8.GetBytes(Key), Encoding.ASCII.GetBytes(signed));
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }
}
