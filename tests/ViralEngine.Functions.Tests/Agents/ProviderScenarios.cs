using Microsoft.AspNetCore.Http;

namespace ViralEngine.Functions.Tests.Agents;

/// <summary>What a model's provider does, and what its user is to see, whichever way the work came.</summary>
/// <param name="Class">Of the error; null: the work is completed.</param>
/// <param name="Says">A part of the error's message, or the result.</param>
/// <param name="Tokens"><c>input+output</c> of all calls.</param>
internal sealed record ProviderScenario(
    RequestDelegate Answer, string? Class, string Says, string? FinishReason = null, string? Tokens = null);

internal static class ProviderScenarios
{
    private const string Usage = """data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":5}}""" + "\n\n";

    /// <summary>A JSON object whose member's name is no UTF-8.</summary>
    private static readonly byte[] NoText = [0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d];

    private const string Done = "data: [DONE]\n\n";

    public static readonly IReadOnlyDictionary<string, ProviderScenario> All = new Dictionary<string, ProviderScenario>
    {
        ["answers"] = new(Stream(Text("hi") + End("stop") + Usage + Done), null, "hi", "stop", "7+5"),
        ["answers whole where a stream was asked for"] = new(
            Json(
                200,
                """{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]"""
                + ""","usage":{"prompt_tokens":7,"completion_tokens":5}}"""),
            null, "hi", "stop", "7+5"),
        ["is cut at a limit of tokens"] = new(Stream(Text("half") + End("length") + Done), null, "half", "length"),
        ["refuses to answer"] = new(
            Stream(
                """data: {"choices":[{"delta":{"refusal":"I cannot."},"finish_reason":null}]}"""
                + "\n\n" + End("stop") + Done),
            null, "I cannot.", "refusal"),
        ["sends what cannot be stored"] = new(
            Stream(Text("a\\u0000b\\ud83d") + End("stop") + Done), null, "ab\uFFFD", "stop"),
        ["counts to a number that cannot be"] = new(
            Stream(Text("hi") + End("stop") + Usage.Replace("7", "-7", StringComparison.Ordinal) + Done), null, "hi",
            "stop", "estimate"),
        ["is down"] = new(
            Json(503, """{"error":{"message":"overloaded"}}"""), "unavailable",
            "answered 503 Service Unavailable: overloaded."),
        ["fails in bytes that are no text"] = new(
            async http =>
            {
                http.Response.StatusCode = 500;
                http.Response.ContentType = "application/json";
                await http.Response.Body.WriteAsync(NoText);
            },
            "unavailable", "answered 500"),
        ["does not know the key"] = new(
            Json(401, """{"error":{"message":"Incorrect key"}}"""), "unauthorized", "answered 401 Unauthorized."),
        ["is out of quota in the middle"] = new(
            Stream(Text("I ") + """data: {"error":{"message":"You exceeded your quota."}}""" + "\n\n"),
            "rate_limited", "reported an error: You exceeded your quota."),
        ["filters its answer"] = new(
            Stream(Text("I ") + End("content_filter") + Usage + Done), "invalid_request", "content filter",
            Tokens: "7+5"),
        ["fails in the middle after it counted"] = new(
            Stream(Text("I ") + Usage + """data: {"error":{"message":"The engine died.","code":500}}""" + "\n\n"),
            "unavailable", "reported an error: The engine died.", Tokens: "7+5"),
        ["ends without an end"] = new(
            Stream(Text("I ") + Usage), "unavailable", "closed the connection", Tokens: "7+5"),
        ["falls silent after it counted"] = new(
            async http =>
            {
                await Stream(Text("I ") + Usage)(http);
                await http.Response.Body.FlushAsync();
                await HangAsync(http);
            },
            "timeout", "sent nothing", Tokens: "7+5"),
        ["sends what is no answer"] = new(Stream("data: [1,2]\n\n"), "malformed", "unreadable answer"),
        ["sends a page"] = new(
            async http =>
            {
                http.Response.ContentType = "text/html";
                await http.Response.WriteAsync("<html><body>It works!</body></html>");
            },
            "malformed", "unreadable answer"),
    };

    public static string Text(string text) =>
        $$"""data: {"choices":[{"delta":{"content":"{{text}}"},"finish_reason":null}]}""" + "\n\n";

    public static string End(string reason) =>
        $$"""data: {"choices":[{"delta":{},"finish_reason":"{{reason}}"}]}""" + "\n\n";

    public static RequestDelegate Stream(string events) => async http =>
    {
        http.Response.ContentType = "text/event-stream";
        await http.Response.WriteAsync(events);
    };

    public static async Task HangAsync(HttpContext http)
    {
        var left = new TaskCompletionSource();
        await using var registration = http.RequestAborted.Register(() => left.TrySetResult());
        await left.Task;
    }

    private static RequestDelegate Json(int status, string body) => async http =>
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(body);
    };
}
