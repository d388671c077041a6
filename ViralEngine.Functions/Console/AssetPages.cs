using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Console.Shell;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Console;

/// <summary>Stylesheet and scripts, and 404 for unknown pages.</summary>
internal static class AssetPages
{
    [Function("ConsoleAsset")]
    public static IResult Get(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/assets/{name}")] HttpRequest request,
        string name)
    {
        if (AssetFiles.Find(name) is not { } asset)
            return Problem.NotFound("file");
        request.HttpContext.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        return Results.Bytes(asset.Bytes, asset.ContentType);
    }

    // The host tries routes in the alphabetical order of the functions' names.
    [Function("ZNoSuchPage")]
    public static IResult NotFound(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/{*path}")] HttpRequest request) =>
        Problem.NotFound("page");
}
