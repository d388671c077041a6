using System.Net;
using Microsoft.AspNetCore.Http;
using ViralEngine.Core.Approvals;

namespace ViralEngine.Functions.Approvals;

/// <summary>
/// The page behind a one-time link: plain HTML without scripts or external resources. Opening it decides nothing,
/// because mail scanners open every link; its button decides.
/// </summary>
internal sealed class LinkPage(int status, string title, string content) : IResult, IStatusCodeHttpResult
{
    public int? StatusCode => status;

    public static LinkPage Ask(ApprovalLink link)
    {
        var verb = link.Decision == DecisionKind.Approve ? "Approve" : "Reject";
        var message = link.Message is null ? "" : $"<p class=\"message\">{Text(link.Message)}</p>";
        return new LinkPage(200, $"{verb}?", $"""
            <p>Workflow: <b>{Text(link.WorkflowName ?? link.WorkflowId.ToString())}</b></p>
            <p>Gate: <b>{Text(link.Title)}</b> ({Text(link.GateId)})</p>
            {message}
            <p>Your decision: <b>{link.Decision.ToText()}</b>. It is final.</p>
            <form method="post">
              <p><label>Reason (optional):<br><textarea name="reason" rows="3" cols="60" maxlength="2000"></textarea></label></p>
              <p><button type="submit">{verb}</button></p>
            </form>
            """);
    }

    public static LinkPage Done(ApprovalLink link) => new(200, "Thank you", $"""
        <p>Your decision was recorded: <b>{link.Decision.ToText()}</b> for <b>{Text(link.Title)}</b>.</p>
        """);

    public static LinkPage Over(int status, string why) =>
        new(status, "This link no longer works", $"<p>{Text(why)}</p>");

    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = status;
        response.ContentType = "text/html; charset=utf-8";
        response.Headers.CacheControl = "no-store";
        response.Headers.ContentSecurityPolicy =
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers.XContentTypeOptions = "nosniff";
        return response.WriteAsync($$"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width">
            <meta name="robots" content="noindex">
            <title>{{Text(title)}}</title>
            <style>body { font-family: sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem } .message { white-space: pre-wrap }</style>
            </head>
            <body>
            <h1>{{Text(title)}}</h1>
            {{content}}
            </body>
            </html>
            """, httpContext.RequestAborted);
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
