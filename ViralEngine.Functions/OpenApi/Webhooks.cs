using System.Text.Json.Nodes;
using ViralEngine.Core.Webhooks;

namespace ViralEngine.Functions.OpenApi;

/// <summary>
/// The messages sent to webhook endpoints, one for each type of event, after Standard Webhooks 1.0.0.
/// </summary>
internal sealed class Webhooks(Schemas schemas)
{
    public JsonObject Describe() => new(WrittenSchemas.Events.Select(each => KeyValuePair.Create(
        each.Key, (JsonNode?)new JsonObject { ["post"] = Message(each.Key, (string)each.Value["description"]!) })));

    private JsonObject Message(string type, string description) => new()
    {
        ["operationId"] = "on" + EventSchemas.NameOf(type),
        ["tags"] = new JsonArray("Webhooks"),
        ["summary"] = description,
        ["description"] = $"The message `{type}`. Verify `webhook-signature` before you use it.",
        ["security"] = new JsonArray(),
        ["parameters"] = new JsonArray(
            Header(
                WebhookSignature.IdHeader, "The same for every attempt. Use it to detect duplicates.",
                new JsonObject { ["type"] = "string" }),
            Header(
                WebhookSignature.TimestampHeader,
                "The time of the attempt, in Unix seconds. Reject messages that are minutes old.",
                new JsonObject { ["type"] = "integer", ["format"] = "int64" }),
            Header(
                WebhookSignature.SignatureHeader,
                "`v1,` and the base64 of HMAC-SHA256 over `<webhook-id>.<webhook-timestamp>.<body>`, "
                + "one for each valid secret, separated by spaces.",
                new JsonObject { ["type"] = "string" })),
        ["requestBody"] = new JsonObject
        {
            ["required"] = true,
            ["content"] = new JsonObject
            {
                ["application/json"] = new JsonObject
                {
                    ["schema"] = schemas.OfWritten(EventSchemas.NameOf(type) + "Message"),
                    ["example"] = SampleMessage.Of(type),
                },
            },
        },
        ["responses"] = new JsonObject
        {
            ["2XX"] = new JsonObject { ["description"] = "Received." },
            ["410"] = new JsonObject { ["description"] = "Gone: the endpoint is disabled." },
            ["default"] = new JsonObject
            {
                ["description"] = "Not received: the message is sent again, after `Retry-After` if present.",
            },
        },
    };

    private static JsonObject Header(string name, string description, JsonObject schema) => new()
    {
        ["name"] = name,
        ["in"] = "header",
        ["required"] = true,
        ["description"] = description,
        ["schema"] = schema,
    };
}
