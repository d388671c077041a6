using System.Reflection;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Template;
using Microsoft.Azure.Functions.Worker;

namespace ViralEngine.Functions.Tests.Requests;

/// <summary>
/// The Functions host tries routes in the alphabetical order of the functions' names, whatever their form. So a
/// function whose route takes another's paths has to be named after it.
/// </summary>
public sealed class RouteOrderTests
{
    private static readonly IReadOnlyList<Route> Routes =
    [
        .. typeof(Program).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static))
            .Select(Route.Of)
            .OfType<Route>()
            .OrderBy(route => route.Function, StringComparer.OrdinalIgnoreCase),
    ];

    [Fact]
    public void No_function_takes_what_a_later_one_is_for()
    {
        var shadowed =
            from place in Enumerable.Range(0, Routes.Count)
            let first = Routes[place]
            from later in Routes.Skip(place + 1)
            where first.Methods.Intersect(later.Methods).Any() && first.Takes(later)
            select $"{first.Function} ({first.Template}) answers for {later.Function} ({later.Template})";

        Assert.True(Routes.Count > 70, "The routes were found.");
        Assert.Empty(shadowed);
    }

    [Fact]
    public void The_check_knows_a_catch_all_and_a_parameter_for_what_they_take()
    {
        var everything = new Route("A", "{*path}", ["GET"]);
        var one = new Route("B", "things/{id}", ["GET"]);
        var literal = new Route("C", "things/public", ["GET"]);

        Assert.True(everything.Takes(one));
        Assert.True(one.Takes(literal));
        Assert.False(literal.Takes(one));
    }

    private sealed record Route(string Function, string Template, string[] Methods)
    {
        public static Route? Of(MethodInfo method)
        {
            var trigger = method.GetParameters()
                .Select(parameter => parameter.GetCustomAttribute<HttpTriggerAttribute>())
                .FirstOrDefault(attribute => attribute is not null);
            return method.GetCustomAttribute<FunctionAttribute>() is { } function && trigger is not null
                ? new(
                    function.Name, trigger.Route ?? function.Name,
                    [.. trigger.Methods!.Select(name => name.ToUpperInvariant())])
                : null;
        }

        /// <summary>
        /// Whether a path of the other's, its parameters filled with some text, is one of this route's.
        /// </summary>
        public bool Takes(Route other)
        {
            var path = "/" + string.Join('/', TemplateParser.Parse(other.Template).Segments.Select(segment =>
                string.Concat(segment.Parts.Select(
                    part => part.IsLiteral ? part.Text : "01a2b3c4-d5e6-7f80-9a1b-2c3d4e5f6071"))));
            return new TemplateMatcher(TemplateParser.Parse(Template), []).TryMatch(path, new RouteValueDictionary());
        }
    }
}
