using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Routing.Template;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.OpenApi;

/// <summary>Puts the document together: what all operations share, and one operation for each endpoint and method.</summary>
internal sealed class DocumentBuilder(EndpointCatalog endpoints)
{
    private readonly XmlDocs docs = XmlDocs.Load();

    public JsonObject Build()
    {
        var schemas = new Schemas(docs);
        var responses = new Responses(schemas);
        var operations = new Operations(schemas, responses, docs);
        var documented = endpoints.All.Where(endpoint => !endpoint.IsFallback).ToList();

        var paths = new JsonObject();
        foreach (var route in documented.GroupBy(endpoint => PathOf(endpoint.Matcher.Template)))
        {
            var path = new JsonObject();
            foreach (var endpoint in route.OrderBy(endpoint => endpoint.Methods[0], StringComparer.Ordinal))
            {
                foreach (var method in endpoint.Methods)
                    path[method.ToLowerInvariant()] = operations.Describe(endpoint, method);
            }

            paths[route.Key] = path;
        }

        return new JsonObject
        {
            ["openapi"] = "3.1.1",
            ["info"] = ApiInfo.Describe(),
            ["servers"] = new JsonArray(new JsonObject { ["url"] = "/api", ["description"] = "The instance that serves this document." }),
            ["security"] = new JsonArray(new JsonObject { ["bearer"] = new JsonArray() }),
            ["tags"] = Tags(documented),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["securitySchemes"] = new JsonObject { ["bearer"] = ApiInfo.Security() },
                ["parameters"] = Headers.Parameters(),
                ["headers"] = Headers.OfResponses(),
                ["responses"] = responses.Components(),
                ["schemas"] = schemas.Components(),
            },
        };
    }

    /// <summary>A template as OpenAPI writes it: without constraints, parameters in snake_case.</summary>
    internal static string PathOf(RouteTemplate template) => "/" + string.Join('/', template.Segments.Select(segment =>
        string.Concat(segment.Parts.Select(part => part.IsParameter ? $"{{{Words.Snake(part.Name!)}}}" : part.Text))));

    /// <summary>A tag for each feature, with what its classes say of themselves.</summary>
    private JsonArray Tags(IEnumerable<Endpoint> documented) =>
    [
        .. documented
            .GroupBy(Words.TagOf)
            .OrderBy(feature => feature.Key, StringComparer.Ordinal)
            .Select(feature => new JsonObject
            {
                ["name"] = feature.Key,
                ["description"] = string.Join(' ', feature.Select(endpoint => docs.Summary(endpoint.Method.DeclaringType!)).Distinct()),
            }),
    ];
}
