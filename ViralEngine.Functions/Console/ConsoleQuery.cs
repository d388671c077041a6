using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Console;

/// <summary>A page's query in the API's form: drops empty fields, and adds UTC to times without a zone.</summary>
internal sealed partial class ConsoleQuery
{
    private ConsoleQuery(Dictionary<string, string> values) => Values = values;

    /// <summary>The non-empty fields.</summary>
    public IReadOnlyDictionary<string, string> Values { get; }

    public static ConsoleQuery Of(HttpRequest request) => new(request.Query
        .Where(each => each.Key != "notice" && each.Value.ToString().Length > 0)
        .ToDictionary(each => each.Key, each => WithZone(each.Value.ToString())));

    /// <summary>By the rules of the API's own query.</summary>
    /// <exception cref="ProblemException">400 with every fault.</exception>
    public T Bind<T>()
        where T : class, new() =>
        RequestBinder.BindQuery<T>(
            new QueryCollection(Values.ToDictionary(each => each.Key, each => new StringValues(each.Value))));

    /// <summary>As <c>datetime-local</c> sends it, with or without seconds.</summary>
    public static string WithZone(string value)
    {
        if (!LocalTime().IsMatch(value))
            return value;
        return value.Length == 16 ? value + ":00Z" : value + "Z";
    }

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?$", RegexOptions.CultureInvariant)]
    private static partial Regex LocalTime();
}
