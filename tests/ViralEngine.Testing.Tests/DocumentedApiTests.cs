using System.Net;
using System.Text;
using System.Text.Json;

namespace ViralEngine.Testing.Tests;

/// <summary>What fails a test because the app's document does not say it.</summary>
public sealed class DocumentedApiTests
{
    private const string Document =
        """
        {
          "servers": [{ "url": "/api" }],
          "paths": {
            "/tasks/{id}": {
              "get": {
                "responses": {
                  "200": { "content": { "application/json": { "schema": { "type": "object", "required": ["id"] } } } },
                  "206": {
                    "headers": { "ETag": {} },
                    "content": {
                      "application/json": {
                        "schema": { "type": "object", "properties": { "id": { "type": "integer" } } }
                      }
                    }
                  },
                  "404": { "$ref": "#/components/responses/NotFound" }
                }
              },
              "delete": { "responses": { "204": {} } },
              "patch": {
                "requestBody": {
                  "content": {
                    "application/merge-patch+json": {
                      "schema": { "type": "object", "properties": { "name": { "type": "string" } } }
                    }
                  }
                },
                "responses": { "204": {} }
              }
            },
            "/tasks/stats": {
              "get": { "responses": { "200": { "content": { "text/csv": { "schema": { "type": "string" } } } } } }
            }
          },
          "components": {
            "responses": {
              "NotFound": {
                "content": { "application/problem+json": { "schema": { "type": "object", "required": ["title"] } } }
              }
            }
          }
        }
        """;

    private readonly DocumentedApi api = new(JsonDocument.Parse(Document).RootElement);

    [Theory]
    [InlineData("GET", "/api/tasks/7", 200, "application/json", "{ \"id\": 7 }")]
    [InlineData("GET", "/api/tasks/7", 404, "application/problem+json", "{ \"title\": \"Not found.\" }")]
    [InlineData("GET", "/api/tasks/stats", 200, "text/csv", "a,b")]
    [InlineData("DELETE", "/api/tasks/7", 204, null, "")]
    [InlineData("PUT", "/api/tasks/7", 405, "application/problem+json", "{}")]
    [InlineData("GET", "/api/unknown", 404, "application/problem+json", "{}")]
    public void Accepts_what_is_documented(string method, string path, int status, string? mediaType, string body) =>
        Assert.Null(FaultOf(method, path, status, mediaType, body));

    [Theory]
    [InlineData("GET", "/api/tasks/7", 200, "application/json", "{}", "\"\": lacks the required id")]
    [InlineData("GET", "/api/tasks/7", 200, "application/json", "{", "the body is not JSON")]
    [InlineData("GET", "/api/tasks/7", 404, "application/problem+json", "{}", "\"\": lacks the required title")]
    [InlineData(
        "GET", "/api/tasks/7", 404, "text/html", "<p>", "the media type is text/html, not application/problem+json")]
    [InlineData("GET", "/api/tasks/7", 200, null, "", "the media type is missing, not application/json")]
    [InlineData("GET", "/api/tasks/7", 410, "application/problem+json", "{}", "the status is none of 200, 206, 404")]
    [InlineData(
        "GET", "/api/tasks/stats", 200, "application/json", "{ \"id\": 7 }",
        "the media type is application/json, not text/csv")]
    [InlineData(
        "DELETE", "/api/tasks/7", 204, "application/json", "{}",
        "a body of type application/json where none is documented")]
    [InlineData("PUT", "/api/tasks/7", 405, null, "", "there is no such operation, and the media type is missing")]
    public void Says_what_is_not_documented(
        string method, string path, int status, string? mediaType, string body, string fault) =>
        Assert.StartsWith(fault, FaultOf(method, path, status, mediaType, body), StringComparison.Ordinal);

    [Fact]
    public void Misses_the_members_and_headers_that_the_document_does_not_have()
    {
        Assert.Null(Fault("""{ "id": 7 }""", "ETag"));
        Assert.Equal("\"/name\": is not documented", Fault("""{ "id": 7, "name": "x" }""", "ETag"));
        Assert.Equal("the header X-Secret is not documented", Fault("""{ "id": 7 }""", "X-Secret"));

        string? Fault(string body, string header)
        {
            using var response = new HttpResponseMessage(HttpStatusCode.PartialContent)
            {
                Content = new StringContent(body, Encoding.UTF8, "application/json"),
            };
            response.Headers.TryAddWithoutValidation("X-Request-ID", "1");
            response.Headers.TryAddWithoutValidation(header, "\"1\"");
            return api.FaultOf(HttpMethod.Get, "/api/tasks/7", response, Encoding.UTF8.GetBytes(body));
        }
    }

    [Theory]
    [InlineData("application/merge-patch+json", "{ \"name\": \"x\" }", null)]
    [InlineData("application/json", "{ \"name\": \"x\" }", null)]
    [InlineData("application/json", "{ \"name\": 7 }", "a body was taken with \"/name\": ")]
    [InlineData(
        "application/json", "{ \"name\": \"x\", \"size\": 7 }", "a body was taken with \"/size\": is not documented")]
    [InlineData(
        "application/vnd.api+json", "{}", "a body of type application/vnd.api+json was taken, which is not documented")]
    public void Says_what_was_taken_though_it_is_not_documented(string mediaType, string body, string? fault)
    {
        var said = api.FaultOfTaken(HttpMethod.Patch, "/api/tasks/7", mediaType, Encoding.UTF8.GetBytes(body));

        Assert.StartsWith(fault ?? "nothing", said ?? "nothing", StringComparison.Ordinal);
    }

    [Fact]
    public void Misses_the_request_id() => Assert.Equal(
        "X-Request-ID is missing",
        FaultOf("GET", "/api/tasks/7", 200, "application/json", "{ \"id\": 7 }", hasRequestId: false));

    private string? FaultOf(
        string method, string path, int status, string? mediaType, string body, bool hasRequestId = true)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        using var response = new HttpResponseMessage((HttpStatusCode)status) { Content = new ByteArrayContent(bytes) };
        response.Content.Headers.ContentType = mediaType is null ? null : new(mediaType);
        if (hasRequestId)
            response.Headers.Add("X-Request-ID", "1");
        return api.FaultOf(new HttpMethod(method), path, response, bytes);
    }
}
