using System.Reflection;
using Microsoft.AspNetCore.Routing.Template;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Core.Organizations;

namespace ViralEngine.Functions.Requests;

/// <summary>Every HTTP function of the app with what its attributes say: the one source of who may call what.</summary>
internal sealed class EndpointCatalog
{
    private readonly Dictionary<string, Endpoint> byFunction;

    public EndpointCatalog()
    {
        All =
        [
            .. typeof(EndpointCatalog).Assembly.GetTypes()
                .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
                .Select(Describe)
                .OfType<Endpoint>()
                .OrderBy(endpoint => endpoint.Route, StringComparer.Ordinal),
        ];
        Api = [.. All.Where(endpoint => endpoint.IsApi)];
        byFunction = All.ToDictionary(endpoint => endpoint.Function);
    }

    public IReadOnlyList<Endpoint> All { get; }

    /// <summary>Those below <c>/api</c>; the others are pages.</summary>
    public IReadOnlyList<Endpoint> Api { get; }

    public Endpoint? Find(string function) => byFunction.GetValueOrDefault(function);

    /// <summary>The methods that a path (<c>/api/tasks</c>) knows, for the <c>Allow</c> header; none for one that is not there.</summary>
    public IReadOnlyList<string> MethodsOf(string path) =>
    [
        .. All.Where(endpoint => !endpoint.IsFallback && endpoint.Matcher.TryMatch(path, []))
            .SelectMany(endpoint => endpoint.Methods)
            .Distinct()
            .Order(StringComparer.Ordinal),
    ];

    private static Endpoint? Describe(MethodInfo method)
    {
        var function = method.GetCustomAttribute<FunctionAttribute>();
        var trigger = method.GetParameters()
            .Select(parameter => parameter.GetCustomAttribute<HttpTriggerAttribute>())
            .FirstOrDefault(attribute => attribute is not null);
        if (function is null || trigger is null)
            return null;

        var template = trigger.Route ?? function.Name;
        return new Endpoint(
            function.Name,
            template,
            [.. (trigger.Methods ?? []).Select(name => name.ToUpperInvariant())],
            method.GetCustomAttribute<AllowAttribute>()?.Roles,
            method,
            new TemplateMatcher(TemplateParser.Parse(template), []));
    }
}

/// <summary>An HTTP function.</summary>
/// <param name="Template">From the root: <c>api/tasks/{id}</c>.</param>
/// <param name="Allowed">Which roles may call it; null: it is public.</param>
internal sealed record Endpoint(
    string Function, string Template, IReadOnlyList<string> Methods, Role? Allowed, MethodInfo Method, TemplateMatcher Matcher)
{
    private const string ApiPrefix = "api/";

    /// <summary>Part of the API, and so of its document; else a page for people.</summary>
    public bool IsApi => Template.StartsWith(ApiPrefix, StringComparison.Ordinal);

    /// <summary>Below <c>/api</c>: <c>tasks/{id}</c>. What idempotency keys are kept under; a page's is its template.</summary>
    public string Route => IsApi ? Template[ApiPrefix.Length..] : Template;

    /// <summary>Answers with server-sent events.</summary>
    public bool IsStream { get; } =
        Method.GetCustomAttributes<ReturnsAttribute>().Any(returns => returns.ContentType == "text/event-stream");

    /// <summary>A console's session may call it: pages, and the streams that make them live. They change nothing, unless by a form.</summary>
    public bool TakesSession => !IsApi || IsStream;

    /// <summary>A page, or a form of one, for those who are signed in.</summary>
    public bool NeedsSession => !IsApi && (Allowed is not null || IsForPeople);

    /// <summary>Takes a person's token, whatever they are a member of.</summary>
    public bool IsForPeople => Method.GetCustomAttribute<AllowPeopleAttribute>() is not null;

    /// <summary>The API's document tells of it.</summary>
    public bool IsDocumented => !IsFallback && !Method.IsDefined(typeof(FormerAddressAttribute), false);

    /// <summary>Answers what no other endpoint does.</summary>
    public bool IsFallback => Template.Contains("{*", StringComparison.Ordinal);
}
