using System.Text;
using System.Text.RegularExpressions;
using ViralEngine.Functions.Requests;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Requests;

/// <summary>
/// Rubbish for every route: bodies and queries from its own request records with one thing wrong, and bytes that are no
/// JSON at all. Never a 500, and what is refused is refused by a problem that names the field.
/// </summary>
[Trait("Category", "BlackBox")]
public sealed partial class FuzzTests(ApiUnderTest api) : IClassFixture<ApiUnderTest>
{
    private static readonly string[] Values =
    [
        "null", "true", "0", "-1", "1e999", "99999999999999999999", "\"\"", "\" \"", "\"x\"", "\"\\u0000\"",
        "\"\\ud800\"", "[]", "[null]", "[[]]", "{}", "{\"a\":1}", $"\"{new string('y', 300_000)}\"",
        $"[{string.Join(',', Enumerable.Repeat("\"t\"", 3000))}]", "\"0001-01-01T00:00:00Z\"",
        "\"9999-12-31T23:59:59.9999999Z\"",
    ];

    private static readonly string[] Bodies =
    [
        "", " ", "{", "}", "[]", "null", "1", "\"text\"", "{\"a\":}", "{'a':1}", "{\"a\":1,\"a\":2}",
        new string('[', 100), new string('{', 50),
        string.Concat(Enumerable.Repeat("{\"a\":", 100)) + "1" + new string('}', 100), "\ufeff{}", "{}{}",
        "{\"x\":\"\\ud800\"}",
    ];

    private static readonly string[] Texts =
    [
        "", "-1", "0", "x", "99999999999999999999", "1.5", "%00", "%FF", "null", "../..", "2026-13-45", "%F0%9F%92%A9",
        "'; DROP TABLE tasks; --", new string('z', 3000),
    ];

    public static TheoryData<string> Functions =>
        [.. new EndpointCatalog().Api.Where(endpoint => !endpoint.IsFallback).Select(endpoint => endpoint.Function)];

    [Theory]
    [MemberData(nameof(Functions))]
    public async Task Rubbish_is_refused_by_name_and_never_a_fault_of_ours(string function)
    {
        using var tenant = await api.NewTenantAsync();
        var endpoint = new EndpointCatalog().Find(function)!;
        var path = "/api/" + Parameter().Replace(endpoint.Route, _ => Guid.NewGuid().ToString());
        // What stands above tenants is made by the platform.
        using var platform = api.NewPlatformClient();
        var client = endpoint.Function == "CreateOrganization" ? platform : tenant.Owner;

        if (endpoint.Methods[0] is "POST" or "PUT" or "PATCH")
        {
            foreach (var body in Bodies)
                await SendAsync(client, endpoint, path, Encoding.UTF8.GetBytes(body));
            await SendAsync(client, endpoint, path, [0xff, 0xfe, (byte)'{', 0x80, (byte)'}']);
            await SendAsync(client, endpoint, path, "{}"u8.ToArray(), "text/plain");
            await SendAsync(client, endpoint, path, "{}"u8.ToArray(), "not a type");
            foreach (var body in MutationsOf(endpoint))
                await SendAsync(client, endpoint, path, Encoding.UTF8.GetBytes(body));
        }

        foreach (var query in QueriesOf(endpoint))
            await SendAsync(client, endpoint, $"{path}?{query}", null);
        if (endpoint.Route.Contains('{'))
        {
            foreach (var text in Texts.Where(text => text.Length > 0))
                await SendAsync(client, endpoint, "/api/" + Parameter().Replace(endpoint.Route, _ => text), null);
        }
    }

    [Theory]
    [InlineData("X-Tenant-ID")]
    [InlineData("Last-Event-ID")]
    [InlineData("Idempotency-Key")]
    [InlineData("X-Request-ID")]
    [InlineData("traceparent")]
    [InlineData("Authorization")]
    [InlineData("Content-Type")]
    [InlineData("Accept")]
    public async Task Garbage_in_a_header_is_no_fault_of_ours(string header)
    {
        using var tenant = await api.NewTenantAsync();
        foreach (var value in new[]
        {
            "", " ", "x", "-1", "\"", "\"unclosed", new string('h', 4000), "00-zz-zz-00", "Bearer", "Bearer ",
            "Basic eDp5"
        })
        {
            foreach (var (method, path) in new[]
            {
                (HttpMethod.Post, "/api/tasks"), (HttpMethod.Get, $"/api/tasks/{Guid.NewGuid()}/stream")
            })
            {
                using var request = new HttpRequestMessage(method, path)
                {
                    Content = new StringContent(
                        """{"agent_id":"echo","description":"x"}""", Encoding.UTF8, "application/json")
                };
                if (header == "Content-Type")
                    request.Content.Headers.Remove(header);
                if (!request.Headers.TryAddWithoutValidation(header, value))
                    request.Content.Headers.TryAddWithoutValidation(header, value);
                var answer = await tenant.Owner.SendAsync(request);
                Assert.True((int)answer.Status < 500, $"{header}: {value[..Math.Min(40, value.Length)]}: {answer}");
            }
        }
    }

    private static IEnumerable<string> MutationsOf(Endpoint endpoint)
    {
        var type = endpoint.Method.GetCustomAttributes(typeof(BodyAttribute), false).Cast<BodyAttribute>()
            .FirstOrDefault()?.Type;
        if (type is null)
            yield break;
        yield return """{"no_such_field":1}""";
        foreach (var field in RequestBinder.FieldsOf(type))
        {
            foreach (var value in Values)
                yield return $"{{\"{field.Name}\":{value}}}";
            yield return $"{{\"{field.Name}\":1,\"{field.Name}\":2}}";
        }
    }

    private static IEnumerable<string> QueriesOf(Endpoint endpoint)
    {
        var type = endpoint.Method.GetCustomAttributes(typeof(QueryAttribute), false).Cast<QueryAttribute>()
            .FirstOrDefault()?.Type;
        if (type is null)
            yield break;
        yield return "no_such_parameter=1";
        foreach (var field in RequestBinder.FieldsOf(type))
        {
            foreach (var text in Texts)
                yield return $"{field.Name}={(text.Contains('%') ? text : Uri.EscapeDataString(text))}";
            yield return $"{field.Name}=1&{field.Name}=2";
        }
    }

    private static async Task SendAsync(
        ApiClient client, Endpoint endpoint, string path, byte[]? body, string contentType = "application/json")
    {
        using var request = new HttpRequestMessage(new HttpMethod(endpoint.Methods[0]), path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }

        var answer = await client.SendAsync(request);
        var sent = body is null ? "" : Encoding.UTF8.GetString(body.AsSpan(0, Math.Min(body.Length, 200)));
        Assert.True((int)answer.Status < 500, $"{sent}\n{answer}");
        // Kestrel itself answers what is not even HTTP; the pages behind approval links are for people.
        if ((int)answer.Status < 400 || answer.Bytes.Length == 0
            || answer.Header("Content-Type")?.StartsWith("text/html", StringComparison.Ordinal) == true)
            return;

        var problem = answer.ExpectProblem(answer.Status);
        if (problem.Type?.EndsWith("validation-failed", StringComparison.Ordinal) == true)
            Assert.True(problem.Errors.Count > 0, $"{sent}\n{answer}");
    }

    [GeneratedRegex(@"\{[^}]+\}")]
    private static partial Regex Parameter();
}
