using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Routing.Template;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.OpenApi;

/// <summary>Builds the document: the shared components, and one operation for each endpoint and method.</summary>
internal sealed class DocumentBuilder(EndpointCatalog endpoints, string address)
{
    private readonly XmlDocs docs = XmlDocs.Load();

    public JsonObject Build()
    {
        var schemas = new Schemas(docs);
        var responses = new Responses(schemas);
        var operations = new Operations(schemas, responses, docs);
        var documented = endpoints.Api.Where(endpoint => endpoint.IsDocumented).ToList();

        var paths = new JsonObject();
        foreach (var route in documented.GroupBy(endpoint => PathOf(endpoint.Matcher.Template)))
        {
            var path = new JsonObject();
            foreach (var endpoint in route.OrderBy(endpoint => endpoint.Methods[0], StringComparer.Ordinal))
            {
                foreach (var method in endpoint.Methods.Where(method => method != "HEAD"))
                    path[method.ToLowerInvariant()] = operations.Describe(endpoint, method);
            }

            paths[route.Key] = path;
        }

        var webhooks = new Webhooks(schemas).Describe();
        var document = new JsonObject
        {
            ["openapi"] = "3.1.1",
            ["info"] = ApiInfo.Describe(address),
            ["servers"] = new JsonArray(new JsonObject
            {
                ["url"] = $"{address}/api",
                ["description"] = "This installation.",
            }),
            ["security"] = new JsonArray(new JsonObject { ["bearer"] = new JsonArray() }),
            ["tags"] = Tags(documented),
            ["paths"] = paths,
            ["webhooks"] = webhooks,
            ["components"] = new JsonObject
            {
                ["securitySchemes"] = new JsonObject { ["bearer"] = ApiInfo.Security() },
                ["parameters"] = Headers.Parameters(),
                ["headers"] = Headers.OfResponses(),
                ["responses"] = responses.Components(),
                ["schemas"] = schemas.Components(),
            },
        };
        return WithoutWhatNobodyNames(document);
    }

    /// <summary>Removes unreferenced schemas, such as those of records that a written schema replaced.</summary>
    private static JsonObject WithoutWhatNobodyNames(JsonObject document)
    {
        var components = document["components"]!["schemas"]!.AsObject();
        while (true)
        {
            var named = WrittenSchemas.NamesIn(document).ToHashSet();
            var unnamed = components.Select(each => each.Key).Where(name => !named.Contains(name)).ToList();
            if (unnamed.Count == 0)
                return document;
            foreach (var name in unnamed)
                components.Remove(name);
        }
    }

    /// <summary>
    /// A route template in OpenAPI's form: below the server's address, without constraints, parameters in snake_case.
    /// </summary>
    private static string PathOf(
        RouteTemplate template) => "/" + string.Join('/', template.Segments.Skip(1).Select(segment =>
        string.Concat(segment.Parts.Select(part => part.IsParameter ? $"{{{Words.Snake(part.Name!)}}}" : part.Text))));

    /// <summary>A tag for each feature, described by the summaries of its classes.</summary>
    private JsonArray Tags(IEnumerable<Endpoint> documented) =>
    [
        .. documented
            .GroupBy(Words.TagOf)
            .OrderBy(feature => feature.Key, StringComparer.Ordinal)
            .Select(feature => new JsonObject
            {
                ["name"] = feature.Key,
                ["description"] = string.Join(
                    ' ', feature.Select(endpoint => docs.Summary(endpoint.Method.DeclaringType!)).Distinct()),
            }),
    ];
}
