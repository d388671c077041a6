using System.Text.Json;
using ViralEngine.Core.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.OpenApi;

/// <summary>Names in the code, as words for readers.</summary>
internal static class Words
{
    private static readonly Role[] HighestFirst =
        [Role.Owner, Role.Admin, Role.Operator, Role.Approver, Role.Viewer, Role.Platform];

    public static string Snake(string name) => JsonNamingPolicy.SnakeCaseLower.ConvertName(name);

    public static string Camel(string name) => JsonNamingPolicy.CamelCase.ConvertName(name);

    /// <summary>The feature of an endpoint: its namespace, in words.</summary>
    public static string TagOf(Endpoint endpoint)
    {
        var feature = endpoint.Method.DeclaringType!.Namespace!.Split('.')[^1];
        if (feature == "OpenApi")
            return "Reference";
        var words = Snake(feature).Replace('_', ' ');
        return char.ToUpperInvariant(words[0]) + words[1..];
    }

    public static IEnumerable<string> Roles(Role roles) =>
        HighestFirst.Where(role => roles.HasFlag(role)).Select(role => role.ToText());

    /// <summary>The singular of a collection: <c>api-keys</c> → <c>api key</c>.</summary>
    public static string Singular(string collection)
    {
        var words = collection.Replace('-', ' ');
        if (words.EndsWith("ies", StringComparison.Ordinal))
            return words[..^3] + "y";
        if (words.EndsWith("ches", StringComparison.Ordinal) || words.EndsWith("sses", StringComparison.Ordinal))
            return words[..^2];
        return words.EndsWith('s') ? words[..^1] : words;
    }
}
