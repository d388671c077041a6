using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace ViralEngine.Core.SignIn;

/// <summary>
/// Calls the provider's token endpoint as the console's client (RFC 6749, sections 2.3 and 5). Its URL is configured by
/// the operator, so private addresses are allowed.
/// </summary>
public sealed class TokenEndpoint(IOptions<SignInOptions> options) : IDisposable
{
    private const long MaxAnswerBytes = 1024 * 1024;

    private readonly HttpClient http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    })
    {
        Timeout = TimeSpan.FromSeconds(10),
        MaxResponseContentBufferSize = MaxAnswerBytes,
    };

    private readonly SignInOptions settings = options.Value;

    public abstract record Answer
    {
        public sealed record Tokens(string? AccessToken, string? IdToken, string? RefreshToken) : Answer;

        /// <summary>The provider rejected the request, with an error code of RFC 6749, section 5.2.</summary>
        public sealed record Refused(string Code) : Answer;

        /// <summary>The provider cannot be reached, or its response is not valid.</summary>
        public sealed record Failed(string Why) : Answer;
    }

    public async Task<Answer> AskAsync(
        OpenIdConnectConfiguration provider, Dictionary<string, string> form, CancellationToken ct)
    {
        if (settings.Resource is { } resource)
            form["resource"] = resource;
        try
        {
            using var response = await SendAsync(provider, provider.TokenEndpoint, form, ct);
            return Read(response.StatusCode, await response.Content.ReadAsByteArrayAsync(ct));
        }
        catch (HttpRequestException)
        {
            return new Answer.Failed("it cannot be reached");
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new Answer.Failed("it did not respond in time");
        }
    }

    /// <summary>Revokes a refresh token (RFC 7009). The response is ignored.</summary>
    public async Task RevokeAsync(OpenIdConnectConfiguration provider, string refreshToken, CancellationToken ct)
    {
        try
        {
            var form =
                new Dictionary<string, string> { ["token"] = refreshToken, ["token_type_hint"] = "refresh_token" };
            using var response = await SendAsync(provider, provider.RevocationEndpoint, form, ct);
        }
        catch (Exception e)
            when (e is HttpRequestException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            // The session ends anyway, and the token expires.
        }
    }

    public void Dispose() => http.Dispose();

    private Task<HttpResponseMessage> SendAsync(
        OpenIdConnectConfiguration provider, string address, Dictionary<string, string> form, CancellationToken ct)
    {
        form["client_id"] = settings.ClientId!;
        var request = new HttpRequestMessage(HttpMethod.Post, address);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        var methods = provider.TokenEndpointAuthMethodsSupported;
        if (settings.ClientSecret is { } secret && (methods.Count == 0 || methods.Contains("client_secret_basic")))
        {
            var pair = $"{WebUtility.UrlEncode(settings.ClientId)}:{WebUtility.UrlEncode(secret)}";
            request.Headers.Authorization = new AuthenticationHeaderValue(
                "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(pair)));
        }
        else if (settings.ClientSecret is not null)
        {
            form["client_secret"] = settings.ClientSecret;
        }

        request.Content = new FormUrlEncodedContent(form);
        return http.SendAsync(request, ct);
    }

    private static Answer Read(HttpStatusCode status, byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var answer = document.RootElement;
            if (answer.ValueKind != JsonValueKind.Object)
                return new Answer.Failed("its response cannot be read");
            if (status == HttpStatusCode.OK)
                return new Answer.Tokens(
                    Text(answer, "access_token"), Text(answer, "id_token"), Text(answer, "refresh_token"));
            return Text(answer, "error") is { } code
                ? new Answer.Refused(code)
                : new Answer.Failed($"it responded with status {(int)status}");
        }
        catch (JsonException)
        {
            return new Answer.Failed(
                status == HttpStatusCode.OK
                    ? "its response cannot be read"
                    : $"it responded with status {(int)status}");
        }
    }

    private static string? Text(JsonElement answer, string name) =>
        answer.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
