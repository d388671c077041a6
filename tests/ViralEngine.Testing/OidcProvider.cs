using System.Buffers.Text;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace ViralEngine.Testing;

/// <summary>
/// The OpenID Connect provider <c>oidc-provider</c> from npm on loopback, whose keys a test can have and replace, and
/// whose next answer it can put into its mouth. For a browser it is another site than the app: its address has a name.
/// </summary>
public sealed class OidcProvider : IAsyncDisposable
{
    /// <summary>The subject of the tokens it issues.</summary>
    public const string Subject = "robot";

    /// <summary>What the app is to it where people sign in.</summary>
    public const string ConsoleClient = "console";

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
        var provider = new OidcProvider(
            await Package.StartAsync("provider.mjs", [$"{port}"]), new Uri($"http://localhost:{port}"));
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
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String("robot:robot-secret"u8));
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

    /// <summary>
    /// A token like the ones it issues, signed with its key, but for what the arguments make different.
    /// </summary>
    /// <param name="change">What is different in the claims.</param>
    /// <param name="algorithm">RS256; HS256: the published key, in PEM, is the secret; none: no signature.</param>
    public async Task<string> ForgeAsync(
        Action<Dictionary<string, object>>? change = null, string algorithm = "RS256", string? keyId = null)
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

    /// <summary>Takes people to these addresses from now on; what it issues holds for so long.</summary>
    public async Task ServeAsync(TimeSpan tokenLife, params Uri[] redirects) => (await http.PostAsJsonAsync(
        "/test/console", new { redirects, seconds = tokenLife.TotalSeconds })).EnsureSuccessStatusCode();

    /// <summary>Answers the next request for a token with this.</summary>
    public async Task AnswerNextAsync(int status, string body) =>
        (await http.PostAsJsonAsync("/test/answer", new { status, body })).EnsureSuccessStatusCode();

    /// <summary>How often it redeemed a refresh token.</summary>
    public async Task<int> RefreshesAsync() => (await CountsAsync()).GetProperty("refreshes").GetInt32();

    /// <summary>How many sessions were given back, or ended because a refresh token came twice.</summary>
    public async Task<int> RevocationsAsync() => (await CountsAsync()).GetProperty("revocations").GetInt32();

    /// <summary>Ends all of its sessions: no refresh token is good any more.</summary>
    public async Task ForgetAsync() => (await http.PostAsync("/test/forget", null)).EnsureSuccessStatusCode();

    /// <summary>Does at the provider what a browser and its person do.</summary>
    /// <param name="address">Where the app sent the browser.</param>
    /// <returns>Where the provider sends it back to.</returns>
    public static async Task<Uri> SignInAsync(Uri address, string login)
    {
        using var browser = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
        var interaction = await NextAsync(await browser.GetAsync(address), address);
        var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["login"] = login });
        var resumed = await NextAsync(await browser.PostAsync(interaction, form), interaction);
        return await NextAsync(await browser.GetAsync(resumed), resumed);
    }

    private static async Task<Uri> NextAsync(HttpResponseMessage answer, Uri from)
    {
        using (answer)
        {
            return answer.Headers.Location is { } next
                ? new Uri(from, next)
                : throw new InvalidOperationException(
                    $"{from} leads nowhere:\n{await answer.Content.ReadAsStringAsync()}");
        }
    }

    private async Task<JsonElement> CountsAsync() => await http.GetFromJsonAsync<JsonElement>("/test/counts");

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
            "HS256" => Base64Url.EncodeToString(
                HMACSHA256.HashData(Encoding.ASCII.GetBytes(rsa.ExportSubjectPublicKeyInfoPem()), signed)),
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
