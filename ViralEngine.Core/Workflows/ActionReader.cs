using ViralEngine.Core.Agents;
using ViralEngine.Core.Fields;
using ViralEngine.Core.Outgoing;

namespace ViralEngine.Core.Workflows;

/// <summary>Reads the action of a task step, a webhook step or a rollback.</summary>
internal sealed class ActionReader(DefinitionTexts texts, UrlPolicy urls)
{
    private static readonly Dictionary<string, int> Methods =
        new() { ["POST"] = 0, ["PUT"] = 1, ["PATCH"] = 2, ["GET"] = 3, ["DELETE"] = 4 };

    private static readonly HashSet<string> Classes =
    [
        .. Enum.GetValues<ErrorClass>().Select(each => each.ToApiName())
    ];

    // Headers that belong to the call itself and must not be overridden.
    private static readonly HashSet<string> OwnHeaders = new(StringComparer.OrdinalIgnoreCase)
    {
        "host", "content-length", "content-type", "transfer-encoding", "connection", "upgrade", "te", "trailer",
        "expect",
        "proxy-authorization", "proxy-connection", "keep-alive", "idempotency-key",
    };

    public ActionStep? ReadStep(FieldReader json, string id, string? name, string type) =>
        ReadFields(json, type) is { } action ? new ActionStep(id, name, json.Path, null, action) : null;

    /// <summary>Reads a standalone action, such as a rollback.</summary>
    public StepAction? ReadAction(FieldReader json, string? type)
    {
        json.Require("type", type);
        StepAction? action = null;
        if (type is "task" or "webhook")
            action = ReadFields(json, type);
        else if (type is not null)
            json.Fail("type", "Must be task or webhook.");
        json.RefuseOthers("Unknown field.");
        return action;
    }

    private StepAction? ReadFields(FieldReader json, string type) =>
        type == "task" ? ReadTask(json) : ReadWebhook(json);

    private TaskAction? ReadTask(FieldReader json)
    {
        var agent = texts.Read(json, "agent_id", required: true, most: 500);
        var description = texts.Read(json, "description", required: true);
        if (description is { IsConstant: true } && string.IsNullOrWhiteSpace(description.Source))
            json.Fail("description", "Must not be blank.");
        var input = texts.ReadTree(json, "input");
        var priority = json.Integer("priority", 0, 9) ?? 5;
        var timeout = json.Integer("timeout_seconds", 1, 3600) ?? 300;
        var retry = ReadRetry(json);
        // Two layers of retries multiply: with the step's own policy, the task has one attempt by default.
        var attempts = json.Integer("max_attempts", 1, 20) ?? (retry is null ? 3 : 1);
        return agent is null || description is null
            ? null
            : new TaskAction(retry, agent, description, input, priority, timeout, attempts);
    }

    private WebhookAction? ReadWebhook(FieldReader json)
    {
        var method = json.Text("method", 10) ?? "POST";
        if (!Methods.ContainsKey(method))
            json.Fail("method", $"Must be one of {string.Join(", ", Methods.Keys)}.");
        var url = texts.Read(json, "url", required: true, most: UrlPolicy.MaxLength);
        if (url is { IsConstant: true } && urls.Check(url.Source) is { } fault)
            json.Fail("url", fault);
        var headers = texts.ReadMap(json, "headers", CheckHeader);
        var body = texts.ReadTree(json, "body");
        if (body is not null && method is "GET" or "DELETE")
            json.Fail("body", $"Cannot be combined with method {method}.");
        var timeout = json.Integer("timeout_seconds", 1, 120) ?? 30;
        var retry = ReadRetry(json) ?? RetryPolicy.WebhookDefault;
        return url is null ? null : new WebhookAction(retry, method, url, headers, body, timeout);
    }

    private static string? CheckHeader(string name) =>
        name.Length is < 1 or > 100 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            ? "Must be a valid header name."
            : OwnHeaders.Contains(name) ? "Must not be set: the app sets this header." : null;

    private static RetryPolicy? ReadRetry(FieldReader json)
    {
        if (json.Object("retry") is not { } retry)
            return null;
        var attempts = retry.Integer("max_attempts", 1, 20);
        retry.Require("max_attempts", attempts);
        var on = retry.Texts("on", Classes.Count, 50);
        foreach (var (index, name) in (on ?? []).Index())
        {
            if (!Classes.Contains(name))
                retry.Fail($"on[{index}]", $"Must be one of {string.Join(", ", Classes)}.");
        }

        var policy = new RetryPolicy(
            attempts ?? 1,
            on?.ToHashSet(),
            (double)(retry.Number("initial_seconds", 0, 3600) ?? 1),
            (double)(retry.Number("factor", 1, 10) ?? 2),
            (double)(retry.Number("max_seconds", 0, 86_400) ?? 300));
        retry.RefuseOthers("Unknown field.");
        return policy;
    }
}
