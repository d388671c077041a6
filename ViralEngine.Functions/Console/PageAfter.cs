using Microsoft.AspNetCore.Http;

namespace ViralEngine.Functions.Console;

/// <summary>A page that a form answers with itself, as it shows what is shown once; and what was changed, for the audit log.</summary>
internal sealed class PageAfter(IResult page, object? value) : IResult, IStatusCodeHttpResult, IValueHttpResult
{
    public int? StatusCode => StatusCodes.Status200OK;

    public object? Value => value;

    public Task ExecuteAsync(HttpContext httpContext) => page.ExecuteAsync(httpContext);
}
