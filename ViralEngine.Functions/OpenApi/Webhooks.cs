using System.Text.Json.Nodes;
using ViralEngine.Core.Webhooks;

namespace ViralEngine.Functions.OpenApi;

/// <summary>What endpoints of webhooks are sent: a message for each type of event, after Standard Webhooks 1.0.0.</summary>
internal sealed class Webhooks(Schemas schemas)
{
    public JsonObject Describe() => new(WrittenSchemas.Events.Select(each => KeyValuePair.Create(
        each.Key, (JsonNode?)new JsonObject { ["post"] = Message(each.Key, (string)each.Value["description"]!) })));

    private JsonObject Message(string type, string description) => new()
    {
        ["operationId"] = "on" + EventSchemas.NameOf(type),
        ["tags"] = new JsonArray("Webhooks"),
        ["summary"] = description,
        ["description"] = $"The message {type}. Check `webhook-signature` before anything else.",
        ["security"] = new JsonArray(),
        ["parameters"] = new JsonArray(
            Header(WebhookSignature.IdHeader, "The same for each attempt: tell repetitions by it.", new JsonObject { ["type"] = "string" }),
            Header(
                WebhookSignature.TimestampHeader, "When the attempt was made, in Unix seconds: refuse what is minutes old.",
                new JsonObject { ["type"] = "integer", ["format"] = "int64" }),
            Header(
                WebhookSignature.SignatureHeader,
                "`v1,` and the base64 of HMAC-SHA256 over `<webhook-id>.<webhook-timestamp>.<body>`, under each secret that holds, with a "
                + "space between.",
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
            ["410"] = new JsonObject { ["description"] = "Nothing more is wanted: the endpoint is disabled." },
            ["default"] = new JsonObject { ["description"] = "Not received: it is sent again, after `Retry-After` where that is given." },
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
