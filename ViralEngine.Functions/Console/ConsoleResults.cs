using System.Net;
using Microsoft.AspNetCore.Http;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Console;

/// <summary>A rendered page.</summary>
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

/// <summary>The response to an accepted form: a redirect to the page with the result.</summary>
/// <param name="value">The changed resource, for the audit log.</param>
internal sealed class SeeOther(string location, object? value) : IResult, IStatusCodeHttpResult, IValueHttpResult
{
    public int? StatusCode => StatusCodes.Status303SeeOther;

    public object? Value => value;

    /// <summary>Redirects if the API's endpoint succeeded; otherwise returns its problem.</summary>
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

/// <summary>
/// A page that immediately continues to another. Unlike after a redirect, that visit is a same-site one.
/// </summary>
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
