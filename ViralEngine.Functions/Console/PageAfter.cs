using Microsoft.AspNetCore.Http;

namespace ViralEngine.Functions.Console;

/// <summary>
/// A page returned directly by a form, because it shows a secret once; with the changed resource, for the audit log.
/// </summary>
internal sealed class PageAfter(IResult page, object? value) : IResult, IStatusCodeHttpResult, IValueHttpResult
{
    public int? StatusCode => StatusCodes.Status200OK;

    public object? Value => value;

    public Task ExecuteAsync(HttpContext httpContext) => page.ExecuteAsync(httpContext);
}
