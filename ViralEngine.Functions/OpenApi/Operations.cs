using System.ComponentModel;
using System.Reflection;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Routing.Template;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.OpenApi;

/// <summary>Describes the requests and responses of one endpoint, from its attributes.</summary>
internal sealed class Operations(Schemas schemas, Responses responses, XmlDocs docs)
{
    public JsonObject Describe(Endpoint endpoint, string method)
    {
        var operation = new JsonObject
        {
            ["operationId"] = endpoint.Method.GetCustomAttribute<OperationIdAttribute>()?.Id
                ?? Words.Camel(endpoint.Function),
            ["tags"] = new JsonArray(Words.TagOf(endpoint)),
            ["summary"] = endpoint.Method.GetCustomAttribute<SummaryAttribute>()?.Text,
            ["description"] = Description(endpoint),
        };
        if (endpoint.Allowed is { } allowed)
            operation["x-roles"] = new JsonArray([.. Words.Roles(allowed).Select(role => (JsonNode)role)]);
        else if (!endpoint.IsForPeople)
            operation["security"] = new JsonArray();

        operation["parameters"] = Parameters(endpoint, method);
        if (Body(endpoint) is { } body)
            operation["requestBody"] = body;
        operation["responses"] = responses.Of(endpoint, method);
        return operation;
    }

    private string Description(Endpoint endpoint)
    {
        var who = endpoint.Allowed is { } allowed ? $"Roles: {string.Join(", ", Words.Roles(allowed))}."
            : endpoint.IsForPeople ? "Requires a person's token; no role needed." : "Public.";
        return docs.Summary(endpoint.Method) is { } more ? $"{more}\n\n{who}" : who;
    }

    private JsonArray Parameters(Endpoint endpoint, string method)
    {
        var parameters = new JsonArray();
        foreach (var parameter in endpoint.Matcher.Template.Parameters)
            parameters.Add(PathParameter(endpoint, parameter));
        if (endpoint.Method.GetCustomAttribute<QueryAttribute>() is { } query)
        {
            foreach (var field in RequestBinder.FieldsOf(query.Type))
                parameters.Add(QueryParameter(field, query));
        }

        foreach (var name in Headers.NamesFor(endpoint, method))
            parameters.Add(new JsonObject { ["$ref"] = $"#/components/parameters/{name}" });
        return parameters;
    }

    private static JsonObject PathParameter(Endpoint endpoint, TemplatePart parameter)
    {
        var description = endpoint.Method.GetParameters()
            .FirstOrDefault(
                argument => argument.Name == parameter.Name)?.GetCustomAttribute<DescriptionAttribute>()?.Description;
        return new JsonObject
        {
            ["name"] = Words.Snake(parameter.Name!),
            ["in"] = "path",
            ["required"] = true,
            ["description"] = description ?? DescriptionOf(endpoint.Matcher.Template, parameter),
            ["schema"] = IsUuid(endpoint, parameter.Name!)
                ? new JsonObject { ["type"] = "string", ["format"] = "uuid" }
                : new JsonObject { ["type"] = "string" },
        };
    }

    /// <summary>Built-in agents are referenced by name; gates and steps by the ids in their definition.</summary>
    private static bool IsUuid(Endpoint endpoint, string parameter) =>
        parameter.EndsWith("id", StringComparison.OrdinalIgnoreCase) && parameter is not ("gateId" or "stepId")
        && !endpoint.Route.StartsWith("agents/", StringComparison.Ordinal);

    /// <summary>An id follows the name of its collection.</summary>
    private static string DescriptionOf(RouteTemplate template, TemplatePart parameter)
    {
        var segments = template.Segments.ToList();
        var index = segments.FindIndex(segment => segment.Parts.Contains(parameter));
        var before = index > 0 ? segments[index - 1].Parts[0].Text : null;
        return before is not null && parameter.Name!.EndsWith("id", StringComparison.OrdinalIgnoreCase)
            ? $"The id of the {Words.Singular(before)}."
            : $"The {Words.Snake(parameter.Name!).Replace('_', ' ')}.";
    }

    private JsonObject QueryParameter(RequestField field, QueryAttribute query)
    {
        var schema = RequestSchema.OfField(field, query.Type, schemas);
        var description = (string?)schema["description"];
        // Parameters that apply to only one kind of body cannot be required.
        if (query.OnlyFor is { } only)
            description =
                $"{description} {(field.IsRequired ? "Required with" : "Only with")} a body of {only}.".Trim();
        schema.Remove("description");
        // Queries have no null: omit the parameter instead.
        if (schema["type"] is JsonArray types)
            schema["type"] = types[0]!.DeepClone();
        if (schema["enum"] is JsonArray words && words.LastOrDefault() is null)
            words.RemoveAt(words.Count - 1);
        if (schema["oneOf"] is JsonArray and [JsonObject named, ..])
        {
            var given = schema["default"]?.DeepClone();
            schema = named.DeepClone().AsObject();
            if (given is not null)
                schema["default"] = given;
        }

        var parameter = new JsonObject { ["name"] = field.Name, ["in"] = "query" };
        if (description is not null)
            parameter["description"] = description;
        if (field.IsRequired && query.OnlyFor is null)
            parameter["required"] = true;
        parameter["schema"] = schema;
        return parameter;
    }

    private JsonObject? Body(Endpoint endpoint)
    {
        var bodies = endpoint.Method.GetCustomAttributes<BodyAttribute>().ToList();
        if (bodies.Count == 0)
            return null;
        var content = new JsonObject();
        foreach (var body in bodies)
        {
            if (body.ContentType.EndsWith("ndjson", StringComparison.Ordinal))
            {
                content[body.ContentType] = new JsonObject
                {
                    ["schema"] = new JsonObject
                    {
                        ["type"] = "string",
                        ["description"] = "One JSON object per line, described by x-line.",
                    },
                    ["x-line"] = schemas.OfRequest(body.Type),
                    ["example"] = Examples.OfLines(body.Type),
                };
                continue;
            }

            var isPatch = body.ContentType == "application/merge-patch+json";
            var media = new JsonObject { ["schema"] = schemas.OfRequest(body.Type, isPatch) };
            if (isPatch)
                media["example"] = Examples.OfPatch(body.Type);
            else
                media["examples"] = Examples.Of(body.Type);
            content[body.ContentType] = media;
        }

        return new JsonObject { ["required"] = !bodies.All(body => body.IsOptional), ["content"] = content };
    }
}
