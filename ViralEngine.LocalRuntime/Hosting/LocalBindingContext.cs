using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace ViralEngine.LocalRuntime.Hosting;

/// <summary>Route and query values by name, whatever the case; the route wins.</summary>
internal sealed class LocalBindingContext(HttpContext? request) : BindingContext
{
    public override IReadOnlyDictionary<string, object?> BindingData => field ??= Collect(request);

    public static bool TryGetText(HttpContext request, string name, out string text)
    {
        if (request.Request.RouteValues.TryGetValue(name, out var routed) && routed?.ToString() is { } segment)
        {
            text = segment;
            return true;
        }

        var found = request.Request.Query.TryGetValue(name, out var asked);
        text = asked.ToString();
        return found;
    }

    private static Dictionary<string, object?> Collect(HttpContext? request)
    {
        var data = new Dictionary<string, object?>(StringComparer.OrdinalIgnoreCase);
        if (request is null)
            return data;
        foreach (var (name, asked) in request.Request.Query)
            data[name] = asked.ToString();
        foreach (var (name, routed) in request.Request.RouteValues)
            data[name] = routed?.ToString();
        return data;
    }
}
