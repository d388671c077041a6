using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ViralEngine.LocalRuntime.Hosting;

namespace ViralEngine.LocalRuntime.Http;

/// <summary>Reads <c>[FromBody]</c> parameters with the serializer options of MVC, as the real integration does.
/// </summary>
internal static class JsonBody
{
    /// <exception cref="InvalidOperationException">The body is empty or not JSON by its content type.</exception>
    /// <exception cref="System.Text.Json.JsonException">The body does not fit the type.</exception>
    public static async ValueTask<object?> ReadAsync(LocalFunctionContext context, Type type)
    {
        var request = context.GetHttpContext()?.Request
            ?? throw new InvalidOperationException("[FromBody] needs an HTTP request.");
        var json = context.InstanceServices.GetRequiredService<IOptions<JsonOptions>>().Value.JsonSerializerOptions;
        return await request.ReadFromJsonAsync(type, json, context.CancellationToken)
            ?? throw new InvalidOperationException("A non-empty request body is required.");
    }
}
