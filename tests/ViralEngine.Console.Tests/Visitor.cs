using System.Net;
using System.Text.RegularExpressions;

namespace ViralEngine.Console.Tests;

/// <summary>Keeps cookies as a browser does, and sends what a browser would not.</summary>
internal sealed partial class Visitor : IDisposable
{
    /// <summary>What a browser would run if it were not shown as text: a picture that fails, and a script.</summary>
    public const string Script =
        "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>";

    private readonly HttpClient http;

    public Visitor(Uri address) =>
        http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = Cookies })
        {
            BaseAddress = address,
        };

    public CookieContainer Cookies { get; } = new();

    /// <summary>The same person with the cookies of now, at another instance.</summary>
    public Visitor At(Uri address)
    {
        var visitor = new Visitor(address);
        foreach (Cookie cookie in Cookies.GetAllCookies())
            visitor.Cookies.Add(new Cookie(cookie.Name, cookie.Value, cookie.Path, cookie.Domain));
        return visitor;
    }

    /// <summary>Another window with the cookies of now.</summary>
    public Visitor Copy() => At(http.BaseAddress!);

    public async Task SignInAsync(string credential)
    {
        var answer = await PostAsync("/console/sign-in", null, ("credential", credential));
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
    }

    /// <summary>An address of the console shows nothing but where to sign in.</summary>
    public async Task IsLedToSignInAsync(string address)
    {
        var answer = await GetAsync(address);

        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        Assert.StartsWith("/console/sign-in", answer.Headers.Location!.OriginalString, StringComparison.Ordinal);
    }

    public Task<HttpResponseMessage> GetAsync(string path, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return http.SendAsync(request);
    }

    /// <param name="token">The form's token; null leaves it out.</param>
    public Task<HttpResponseMessage> PostAsync(
        string path, string? token, params (string Name, string Value)[] fields) =>
        http.SendAsync(Form(path, token, fields));

    public Task<HttpResponseMessage> PostFromAsync(
        string site, string path, string? token, params (string Name, string Value)[] fields)
    {
        var request = Form(path, token, fields);
        request.Headers.Add("Sec-Fetch-Site", site);
        return http.SendAsync(request);
    }

    /// <summary>A file as the body, as the console's script sends one.</summary>
    public Task<HttpResponseMessage> SendFileAsync(string path, string? token, string type, string text)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(text) };
        request.Content.Headers.ContentType = new(type);
        if (token is not null)
            request.Headers.TryAddWithoutValidation("X-Form-Token", token);
        return http.SendAsync(request);
    }

    /// <summary>The form of a page that goes to an address that begins so.</summary>
    public async Task<(string Action, string Token)> FormAsync(string page, string action)
    {
        var html = await (await GetAsync(page)).Content.ReadAsStringAsync();
        var form = Forms().Matches(html).First(
            each => each.Groups["action"].Value.StartsWith(action, StringComparison.Ordinal));
        return (WebUtility.HtmlDecode(form.Groups["action"].Value), form.Groups["token"].Value);
    }

    public void Dispose() => http.Dispose();

    private static HttpRequestMessage Form(string path, string? token, (string Name, string Value)[] fields)
    {
        var all = fields.Select(field => KeyValuePair.Create(field.Name, field.Value));
        return new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new FormUrlEncodedContent(
                token is null ? all : all.Append(KeyValuePair.Create("form_token", token))),
        };
    }

    [GeneratedRegex(
        """<form method="post" action="(?<action>[^"]+)"[^>]*>\s*"""
        + """<input type="hidden" name="form_token" value="(?<token>[^"]*)""")]
    private static partial Regex Forms();
}
