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
        byFunction = All.ToDictionary(endpoint => endpoint.Function);
    }

    public IReadOnlyList<Endpoint> All { get; }

    public Endpoint? Find(string function) => byFunction.GetValueOrDefault(function);

    /// <summary>The methods that a path knows, for the <c>Allow</c> header; none for a path that is not there.</summary>
    public IReadOnlyList<string> MethodsOf(string path) =>
    [
        .. All.Where(endpoint => !endpoint.IsFallback && endpoint.Matcher.TryMatch("/" + path, []))
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

        var route = trigger.Route ?? function.Name;
        return new Endpoint(
            function.Name,
            route,
            [.. (trigger.Methods ?? []).Select(name => name.ToUpperInvariant())],
            method.GetCustomAttribute<AllowAttribute>()?.Roles,
            method,
            new TemplateMatcher(TemplateParser.Parse(route), []));
    }
}

/// <summary>An HTTP function.</summary>
/// <param name="Route">Without the prefix <c>/api</c>: <c>tasks/{id}</c>.</param>
/// <param name="Allowed">Which roles may call it; null: it is public.</param>
internal sealed record Endpoint(
    string Function, string Route, IReadOnlyList<string> Methods, Role? Allowed, MethodInfo Method, TemplateMatcher Matcher)
{
    /// <summary>Answers what no other endpoint does.</summary>
    public bool IsFallback => Route.StartsWith("{*", StringComparison.Ordinal);
}
