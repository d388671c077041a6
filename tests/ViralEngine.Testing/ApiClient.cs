using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;

namespace ViralEngine.Testing;

/// <summary>
/// Speaks to the API as a stranger would: HTTP, JSON and server-sent events, nothing of the app's own types. An answer
/// that is not as the app's OpenAPI document says fails the test (<see cref="DocumentedApi"/>).
/// </summary>
public sealed class ApiClient : IDisposable
{
    private readonly HttpClient http;
    private readonly Func<string> log;

    /// <param name="log">The end of the server's log, for the message of a failed expectation.</param>
    public ApiClient(Uri address, string? credential = null, Func<string>? log = null)
    {
        http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false })
        {
            BaseAddress = address,
            Timeout = TimeSpan.FromSeconds(100),
        };
        this.log = log ?? (() => "(the server is not ours)");
        if (credential is not null)
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", credential);
    }

    public Uri Address => http.BaseAddress!;

    public Task<ApiResponse> GetAsync(string path) => SendAsync(new HttpRequestMessage(HttpMethod.Get, path));

    public Task<ApiResponse> DeleteAsync(string path) => SendAsync(new HttpRequestMessage(HttpMethod.Delete, path));

    /// <summary>
    /// POST with a body that is serialized as it stands, so name its members in snake_case; or with none.
    /// </summary>
    public Task<ApiResponse> PostAsync(
        string path, object? body = null, params (string Name, string Value)[] headers) =>
        SendAsync(Request(HttpMethod.Post, path, body, headers));

    public Task<ApiResponse> PutAsync(string path, object? body = null, params (string Name, string Value)[] headers) =>
        SendAsync(Request(HttpMethod.Put, path, body, headers));

    public Task<ApiResponse> PatchAsync(
        string path, object? body = null, params (string Name, string Value)[] headers) =>
        SendAsync(Request(HttpMethod.Patch, path, body, headers));

    /// <summary>Everything a list holds, page by page.</summary>
    public async Task<List<JsonElement>> ListAsync(string path, string noun)
    {
        var all = new List<JsonElement>();
        string? cursor = null;
        do
        {
            var page = (await GetAsync(
                $"{path}{(path.Contains('?') ? '&' : '?')}limit=100{(cursor is null ? "" : $"&cursor={cursor}")}"))
                .Expect(HttpStatusCode.OK).Json;
            all.AddRange(page.GetProperty(noun).EnumerateArray());
            cursor = page.GetProperty("next_cursor").GetString();
        }
        while (cursor is not null);
        return all;
    }

    /// <summary>Bytes as they are, for bodies that are not JSON or not even text.</summary>
    public Task<ApiResponse> SendBytesAsync(HttpMethod method, string path, byte[] body, string contentType)
    {
        var content = new ByteArrayContent(body);
        content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        return SendAsync(new HttpRequestMessage(method, path) { Content = content });
    }

    public async Task<ApiResponse> SendAsync(HttpRequestMessage request)
    {
        using var sent = request;
        var given = await GivenAsync(request.Content);
        using var response = await AnswerAsync(
            request, HttpCompletionOption.ResponseContentRead, CancellationToken.None);
        var body = await response.Content.ReadAsByteArrayAsync();
        var documented = await DocumentedApi.AtAsync(Address);
        documented.Check(request.Method, request.RequestUri!, response, body);
        if (response.IsSuccessStatusCode && given is not null)
            documented.CheckTaken(
                request.Method, request.RequestUri!, request.Content!.Headers.ContentType?.MediaType, given);
        return new ApiResponse(
            $"{request.Method} {request.RequestUri}", response.StatusCode, body, Headers(response), log);
    }

    /// <summary>A body that can be read again; null: there is none, or it goes out as it comes.</summary>
    private static async Task<byte[]?> GivenAsync(HttpContent? content) =>
        content is ByteArrayContent or JsonContent && content.Headers.ContentEncoding.Count == 0
            ? await content.ReadAsByteArrayAsync()
            : null;

    /// <summary>
    /// A connection that ends as soon as it was made comes bare out of the client, unlike every other.
    /// </summary>
    private async Task<HttpResponseMessage> AnswerAsync(
        HttpRequestMessage request, HttpCompletionOption completion, CancellationToken ct)
    {
        try
        {
            return await http.SendAsync(request, completion, ct);
        }
        catch (SocketException e)
        {
            throw new HttpRequestException(HttpRequestError.ConnectionError, e.Message, e);
        }
    }

    /// <summary>
    /// The response as soon as its headers are there, for bodies too large or too long to hold. Dispose it.
    /// </summary>
    public async Task<HttpResponseMessage> OpenAsync(HttpRequestMessage request, CancellationToken ct)
    {
        var response = await AnswerAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        (await DocumentedApi.AtAsync(Address)).Check(request.Method, request.RequestUri!, response, body: null);
        return response;
    }

    /// <summary>The events of a stream until the server ends it or the token cuts it.</summary>
    /// <param name="lastEventId">Where to continue: the id of the last event received.</param>
    public async IAsyncEnumerable<SseItem<string>> StreamAsync(
        string path, string? lastEventId = null, [EnumeratorCancellation] CancellationToken ct = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.ParseAdd("text/event-stream");
        if (lastEventId is not null)
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        using var response = await OpenAsync(request, ct);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw new ApiExpectationException(
                $"GET {path} answered {(int)response.StatusCode}: "
                + $"{await response.Content.ReadAsStringAsync(ct)}\n{log()}");
        }

        await using var body = await response.Content.ReadAsStreamAsync(ct);
        await foreach (var item in SseParser.Create(body).EnumerateAsync(ct))
            yield return item;
    }

    public void Dispose() => http.Dispose();

    private static HttpRequestMessage Request(
        HttpMethod method, string path, object? body, (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(method, path);
        request.Content = body switch
        {
            null => null,
            HttpContent content => content,
            string json => new StringContent(json, Encoding.UTF8, "application/json"),
            _ => JsonContent.Create(body, options: JsonSerializerOptions.Default),
        };
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }

    private static Dictionary<string, string> Headers(HttpResponseMessage response) =>
        response.Headers.Concat(response.Content.Headers).ToDictionary(
            header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase);
}
