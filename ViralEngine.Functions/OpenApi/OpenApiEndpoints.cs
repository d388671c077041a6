using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Net.Http.Headers;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.OpenApi;

/// <summary>The API's description, for machines and for people.</summary>
internal sealed class OpenApiEndpoints(ApiDocument document, ReferencePage page, PublicAddress address)
{
    [Function("GetOpenApi"), Summary("Read the API as an OpenAPI 3.1 document.")]
    [Returns(200, typeof(object)), Returns(304, Description = "Not modified: If-None-Match has the current ETag.")]
    public IResult Document(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/openapi.json")] HttpRequest request)
    {
        var content = document.At(address.Of(request));
        return Answer(request, content.Bytes, "application/json", content.ETag);
    }

    [Function("GetReference")]
    [Summary("Show the API reference as a page, where calls can be tried. It loads nothing from other sites.")]
    [Returns(200, ContentType = "text/html")]
    [Returns(304, Description = "Not modified: If-None-Match has the current ETag.")]
    public IResult Reference(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/docs")] HttpRequest request)
    {
        var headers = request.HttpContext.Response.Headers;
        headers.ContentSecurityPolicy = page.ContentSecurityPolicy;
        headers["Referrer-Policy"] = "no-referrer";
        return Answer(request, page.Bytes, "text/html; charset=utf-8", page.ETag);
    }

    // Results.Bytes answers 304 by itself where the tag matches.
    private static IResult Answer(HttpRequest request, byte[] bytes, string contentType, string etag)
    {
        request.HttpContext.Response.Headers.CacheControl = "no-cache";
        request.HttpContext.Response.Headers.XContentTypeOptions = "nosniff";
        return Results.Bytes(bytes, contentType, entityTag: new EntityTagHeaderValue(etag));
    }
}
