using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Console;

/// <summary>Binds a form to the API's request record, by the same rules.</summary>
internal static class ConsoleForm
{
    /// <exception cref="ProblemException">400 if it is not a form.</exception>
    public static async Task<IFormCollection> ReadAsync(HttpRequest request, CancellationToken ct)
    {
        if (!request.HasFormContentType)
            throw new ProblemException(Problem.Validation("body", "A form is required."));
        try
        {
            return await request.ReadFormAsync(ct);
        }
        catch (InvalidDataException e)
        {
            throw new ProblemException(Problem.Validation("body", e.Message));
        }
    }

    /// <exception cref="ProblemException">400 with all errors.</exception>
    public static T Bind<T>(IFormCollection form)
        where T : class, new()
    {
        var body = new JsonObject();
        foreach (var field in RequestBinder.FieldsOf(typeof(T)))
        {
            var text = form[field.Name].ToString().ReplaceLineEndings("\n");
            if (text.Trim().Length > 0)
                body[field.Name] = ValueOf(field, text);
        }

        return RequestBinder.Bind<T>(JsonSerializer.SerializeToElement(body));
    }

    /// <summary>The submitted values, to be shown again with errors.</summary>
    public static Dictionary<string, string> ValuesOf(IFormCollection form) =>
        form.Where(each => each.Key != FormMiddleware.Field).ToDictionary(
            each => each.Key, each => each.Value.ToString());

    /// <summary>The API's result, including a problem that it throws.</summary>
    public static async Task<IResult> AnswerOfAsync(Func<Task<IResult>> call)
    {
        try
        {
            return await call();
        }
        catch (ProblemException e)
        {
            return e.Problem;
        }
    }

    /// <summary>The errors by field; null if the problem is not about fields.</summary>
    public static IReadOnlyDictionary<string, string[]>? FaultsOf(IResult answer) => (answer as Problem)?.Errors;

    private static JsonNode? ValueOf(RequestField field, string text)
    {
        var type = field.Type;
        if (type == typeof(string[]))
        {
            var parts = text.Split([',', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            return new JsonArray([.. parts.Select(part => (JsonNode)part)]);
        }

        if (type == typeof(DateTime))
            return ConsoleQuery.WithZone(text.Trim());
        if (type == typeof(string))
            return text;
        var isWord = type.IsEnum || type == typeof(Guid);
        if (isWord)
            return text.Trim();
        if (type == typeof(bool))
            return text is "on" or "true";
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            if (type == typeof(JsonElement))
                throw new ProblemException(Problem.Validation(field.Name, "Must be valid JSON."));
            return text;
        }
    }
}
