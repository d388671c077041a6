using System.Net;
using Microsoft.AspNetCore.Http;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Console;

/// <summary>A page that was rendered.</summary>
internal sealed class PageResult(int status, string html) : IResult, IStatusCodeHttpResult
{
    public int? StatusCode => status;

    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = status;
        httpContext.Response.ContentType = "text/html; charset=utf-8";
        return httpContext.Response.WriteAsync(html);
    }
}

/// <summary>What a form that was taken answers with: the page that shows what came of it.</summary>
/// <param name="value">What was changed, for the audit log.</param>
internal sealed class SeeOther(string location, object? value) : IResult, IStatusCodeHttpResult, IValueHttpResult
{
    public int? StatusCode => StatusCodes.Status303SeeOther;

    public object? Value => value;

    /// <summary>Leads on where the API's endpoint did what was asked; else what it answered is shown.</summary>
    public static IResult After(IResult answer, Func<object?, string> location)
    {
        if (answer is Problem)
            return answer;
        var value = (answer as IValueHttpResult)?.Value;
        return new SeeOther(location(value), value);
    }

    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = StatusCodes.Status303SeeOther;
        httpContext.Response.Headers.Location = location;
        return Task.CompletedTask;
    }
}

/// <summary>A page that leads on at once. Unlike a redirect's, the visit that follows is one of this site's own.</summary>
internal sealed class Onward(string address) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        var text = WebUtility.HtmlEncode(address);
        return new PageResult(200, $"""
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><title>Viral Engine</title><link rel="icon" href="data:,">
            <meta http-equiv="refresh" content="0;url={text}"></head>
            <body><p><a href="{text}">Continue</a></p></body></html>
            """).ExecuteAsync(httpContext);
    }
}
