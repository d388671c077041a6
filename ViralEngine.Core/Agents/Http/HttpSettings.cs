using System.Text.Json;
using ViralEngine.Core.Fields;
using ViralEngine.Core.Outgoing;

namespace ViralEngine.Core.Agents.Http;

/// <summary>Where <see cref="HttpProvider"/> sends a task and how it reads the response.</summary>
public sealed record HttpSettings : AgentSettings
{
    internal static readonly AgentKindParts Parts = new(
        "http", "Your own service (HTTP)", Read, AgentJson.Default.HttpSettings,
        services => new HttpProvider(services.Outgoing, services.Memory, services.Options, services.Time));

    private const int MaxHeaders = 20;
    private const int MaxHeaderLength = 4096;

    // Set by the app, or about the connection (RFC 9110, section 7.6.1).
    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "Host", "Content-Length", "Content-Type", "Transfer-Encoding", "Connection", "Keep-Alive", "Upgrade", "TE",
        "Trailer",
        "Expect", "Proxy-Authorization", "Proxy-Connection", "Cookie", "traceparent", "tracestate",
    };

    /// <summary>Null only for the built-in agent, which uses the task's <c>input.url</c>.</summary>
    public string? Url { get; init; }

    /// <summary>Headers to send. Shown to everyone who may read the agent.</summary>
    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    /// <summary>
    /// JSON pointer (RFC 6901) to the text in a JSON response or in the data of each event; all of it by default.
    /// </summary>
    public string? TextPath { get; init; }

    public override string? FindOrigin() => Url is null ? null : new Uri(Url).GetLeftPart(UriPartial.Authority);

    internal override AgentKind Kind => AgentKind.Http;

    internal override string Label(AgentCall call) => AddressFor(call) is { } url ? url.Host : "http";

    internal override string? HostFor(AgentCall call) => AddressFor(call)?.Authority;

    internal override string? RequestedModel => null;

    internal override string? Instructions => null;

    internal override long? MaxOutputFor(long inputTokens) => null;

    internal override bool IsFreeWithoutPrice => true;

    /// <summary>Null if neither the settings nor the task have an absolute URL.</summary>
    internal Uri? AddressFor(AgentCall call)
    {
        var text = Url;
        if (text is null
            && call.Input is { ValueKind: JsonValueKind.Object } input
            && input.TryGetProperty("url", out var given)
            && given.ValueKind == JsonValueKind.String)
        {
            text = given.GetString();
        }

        return Uri.TryCreate(text, UriKind.Absolute, out var url) ? url : null;
    }

    internal static HttpSettings Read(FieldReader settings, SettingsRules rules)
    {
        var url = settings.Text("url", UrlPolicy.MaxLength);
        settings.Require("url", url);
        if (url is not null && rules.Urls.Check(url) is { } fault)
            settings.Fail("url", fault);

        var path = settings.Text("text_path", 500);
        if (path is not null && !JsonPointer.IsValid(path))
            settings.Fail("text_path", "Must be a JSON pointer such as /output/text.");

        return new HttpSettings
        {
            Url = url,
            Headers = settings.Map("headers", MaxHeaders, CheckHeader),
            SecretHeaders = settings.IsNull("secret_headers")
                ? new Dictionary<string, string>()
                : settings.Map("secret_headers", MaxHeaders, CheckHeader),
            TextPath = path,
        };
    }

    private static string? CheckHeader(string name, string value)
    {
        if (name.Length is 0 or > 100 || !name.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c)))
            return "Must be a valid header name.";
        if (Reserved.Contains(name))
            return "Must not be set: the app sets this header.";
        return value.Length <= MaxHeaderLength && value.All(c => c is >= ' ' and < '\x7f')
            ? null
            : $"Must be printable ASCII of at most {MaxHeaderLength} characters.";
    }
}
