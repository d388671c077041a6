using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace ViralEngine.Torture.Load;

/// <summary>What a client asks for, under a key that it sends again until it has an answer.</summary>
internal sealed record Request(
    Tenant Tenant, string Credential, HttpMethod Method, string Path, string Body, string ContentType, string Key)
{
    /// <param name="body">Named in snake_case.</param>
    public static Request Post(Tenant tenant, string path, object body, string? credential = null) => new(
        tenant, credential ?? tenant.Key, HttpMethod.Post, path, JsonSerializer.Serialize(body), "application/json",
        Guid.NewGuid().ToString("n"));

    public HttpRequestMessage ToMessage()
    {
        var message =
            new HttpRequestMessage(Method, Path) { Content = new StringContent(Body, Encoding.UTF8, ContentType) };
        message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Credential);
        message.Headers.TryAddWithoutValidation("Idempotency-Key", Key);
        return message;
    }
}

/// <summary>An answer that a client has read to its end.</summary>
internal sealed record Answer(int Status, string Body, bool IsReplay, int Instance)
{
    public JsonElement Json => JsonElement.Parse(Body);

    public Guid Id => Json.GetProperty("id").GetGuid();
}
