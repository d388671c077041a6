using System.Reflection;
using Microsoft.AspNetCore.Routing.Template;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Core.Organizations;

namespace ViralEngine.Functions.Requests;

/// <summary>Every HTTP function of the app with its attributes: the only source of who may call what.</summary>
internal sealed class EndpointCatalog
{
    private readonly Dictionary<string, Endpoint> byFunction;

    public EndpointCatalog()
    {
        All =
        [
            .. typeof(EndpointCatalog).Assembly.GetTypes()
                .SelectMany(type => type.GetMethods(
                    BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
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

    /// <summary>
    /// The methods that a path (<c>/api/tasks</c>) supports, for the <c>Allow</c> header; none for an unknown path.
    /// </summary>
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
/// <param name="Allowed">The roles that may call it; null for a public endpoint.</param>
internal sealed record Endpoint(
    string Function, string Template, IReadOnlyList<string> Methods, Role? Allowed, MethodInfo Method,
    TemplateMatcher Matcher)
{
    private const string ApiPrefix = "api/";

    /// <summary>Part of the API and its document; else a page.</summary>
    public bool IsApi => Template.StartsWith(ApiPrefix, StringComparison.Ordinal);

    /// <summary>
    /// The route below <c>/api</c>: <c>tasks/{id}</c>; for a page, its template. Idempotency keys are stored under it.
    /// </summary>
    public string Route => IsApi ? Template[ApiPrefix.Length..] : Template;

    /// <summary>Answers with server-sent events.</summary>
    public bool IsStream { get; } =
        Method.GetCustomAttributes<ReturnsAttribute>().Any(returns => returns.ContentType == "text/event-stream");

    /// <summary>
    /// Accepts a console session: pages, and the streams that update them. They change nothing except through forms.
    /// </summary>
    public bool TakesSession => !IsApi || IsStream;

    /// <summary>A page or form that requires signing in.</summary>
    public bool NeedsSession => !IsApi && (Allowed is not null || IsForPeople);

    /// <summary>Accepts a person's token, regardless of memberships.</summary>
    public bool IsForPeople => Method.GetCustomAttribute<AllowPeopleAttribute>() is not null;

    /// <summary>Part of the API's document.</summary>
    public bool IsDocumented => !IsFallback && !Method.IsDefined(typeof(FormerAddressAttribute), false);

    /// <summary>Handles requests that no other endpoint does.</summary>
    public bool IsFallback => Template.Contains("{*", StringComparison.Ordinal);
}
