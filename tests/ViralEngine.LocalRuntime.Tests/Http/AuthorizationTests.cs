using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.LocalRuntime.Tests.Hosting;

namespace ViralEngine.LocalRuntime.Tests.Http;

public sealed class AuthorizationTests
{
    [Theory]
    [InlineData("open sesame", "open sesame", HttpStatusCode.OK)]
    [InlineData("open sesame", "wrong", HttpStatusCode.Unauthorized)]
    [InlineData("open sesame", null, HttpStatusCode.Unauthorized)]
    [InlineData(null, "", HttpStatusCode.Unauthorized)]
    public async Task Opens_functions_above_anonymous_to_the_master_key_only(
        string? masterKey, string? key, HttpStatusCode expected)
    {
        await using var app = await RunningApp.StartAsync(
            builder => builder.Configuration["LocalRuntime:MasterKey"] = masterKey, [typeof(Guarded)]);

        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/guarded");
        if (key is not null)
            request.Headers.TryAddWithoutValidation("x-functions-key", key);
        using var response = await app.Client.SendAsync(request);

        Assert.Equal(expected, response.StatusCode);
    }

    internal static class Guarded
    {
        [Function("Guarded")]
        public static IResult Open([HttpTrigger("get", Route = "guarded")] HttpRequest request) => Results.Ok();
    }
}
