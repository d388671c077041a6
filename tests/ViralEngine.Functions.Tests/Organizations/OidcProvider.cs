using System.Buffers.Text;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Organizations;

/// <summary>The OpenID Connect provider <c>oidc-provider</c> from npm on loopback, whose keys a test can have and replace.</summary>
public sealed class OidcProvider : IAsyncDisposable
{
    /// <summary>The subject of the tokens it issues.</summary>
    public const string Subject = "robot";

    private static readonly NpmFolder Package = new("oidc");
    private readonly ChildProcess process;
    private readonly HttpClient http;

    private OidcProvider(ChildProcess process, Uri issuer)
    {
        this.process = process;
        Issuer = issuer.GetLeftPart(UriPartial.Authority);
        http = new HttpClient { BaseAddress = issuer };
    }

    public string Issuer { get; }

    public static async Task<OidcProvider> StartAsync()
    {
        var port = FreePort.Take();
        var provider = new OidcProvider(await Package.StartAsync("provider.mjs", $"{port}"), new Uri($"http://127.0.0.1:{port}"));
        await Eventually.TrueAsync(provider.AnswersAsync, "the OpenID Connect provider to answer");
        return provider;
    }

    /// <summary>A token as a client gets it, with its own credentials, for the audience.</summary>
    public async Task<string> IssueAsync(string audience = "viral-engine")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/token")
        {
            Content = new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["grant_type"] = "client_credentials",
                ["resource"] = $"urn:{audience}",
            }),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String("robot:robot-secret"u8));
        using var response = await http.SendAsync(request);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("access_token").GetString()!;
    }

    /// <summary>The key that it signs with, as a JWK with its private part.</summary>
    public async Task<JsonElement> SigningKeyAsync() =>
        (await http.GetFromJsonAsync<JsonElement>("/test/keys")).GetProperty("keys")[0];

    /// <summary>From now on it signs with a new key.</summary>
    /// <param name="keep">Whether the keys so far stay published.</param>
    public async Task RotateAsync(bool keep) =>
        (await http.PostAsync($"/test/keys?keep={(keep ? "true" : "false")}", null)).EnsureSuccessStatusCode();

    /// <summary>A token like the ones it issues, signed with its key, but for what the arguments make different.</summary>
    /// <param name="change">What is different in the claims.</param>
    /// <param name="algorithm">RS256; HS256: the published key, in PEM, is the secret; none: no signature.</param>
    public async Task<string> ForgeAsync(Action<Dictionary<string, object>>? change = null, string algorithm = "RS256", string? keyId = null)
    {
        var key = await SigningKeyAsync();
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var claims = new Dictionary<string, object>
        {
            ["iss"] = Issuer,
            ["sub"] = Subject,
            ["aud"] = "viral-engine",
            ["iat"] = now,
            ["exp"] = now + 300,
        };
        change?.Invoke(claims);
        var header = new { alg = algorithm, typ = "at+jwt", kid = keyId ?? key.GetProperty("kid").GetString() };
        var signed = $"{Encode(header)}.{Encode(claims)}";
        return $"{signed}.{Sign(algorithm, key, Encoding.ASCII.GetBytes(signed))}";
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await process.DisposeAsync();
    }

    private static string Sign(string algorithm, JsonElement key, byte[] signed)
    {
        byte[] Part(string name) => Base64Url.DecodeFromChars(key.GetProperty(name).GetString());
        using var rsa = RSA.Create(new RSAParameters
        {
            Modulus = Part("n"),
            Exponent = Part("e"),
            D = Part("d"),
            P = Part("p"),
            Q = Part("q"),
            DP = Part("dp"),
            DQ = Part("dq"),
            InverseQ = Part("qi"),
        });
        return algorithm switch
        {
            "none" => "",
            "HS256" => Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.ASCII.GetBytes(rsa.ExportSubjectPublicKeyInfoPem()), signed)),
            _ => Base64Url.EncodeToString(rsa.SignData(signed, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)),
        };
    }

    private static string Encode(object part) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(part));

    private async Task<bool> AnswersAsync()
    {
        if (process.HasExited)
            throw new InvalidOperationException($"The provider ended:\n{process.Output}");
        try
        {
            using var answer = await http.GetAsync("/.well-known/openid-configuration");
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
