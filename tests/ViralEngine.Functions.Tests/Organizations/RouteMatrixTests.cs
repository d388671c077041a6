using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using ViralEngine.Functions.Requests;
using ViralEngine.Functions.Tests.Requests;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Organizations;

/// <summary>Every route of the app × every role × own and foreign tenant, against <see cref="RoleTable"/>.</summary>
[Trait("Category", "BlackBox")]
public sealed partial class RouteMatrixTests(ApiUnderTest app) : IClassFixture<ApiUnderTest>
{
    public static TheoryData<string> Functions =>
        [.. new EndpointCatalog().Api.Where(e => !e.IsFallback && e.Allowed is not null).Select(e => e.Function)];

    public static TheoryData<string> FunctionsWithIds =>
        [.. new EndpointCatalog().Api
            .Where(e => !e.IsFallback && e.Allowed is not null && e.Route.Contains('{'))
            .Select(e => e.Function)];

    [Fact]
    public void The_table_has_every_route_and_no_other()
    {
        var routes = new EndpointCatalog().Api.Where(endpoint => !endpoint.IsFallback)
            .SelectMany(endpoint => endpoint.Methods.Where(method => method != "HEAD").Select(
                method => (method, endpoint.Route)));

        Assert.Equal(RoleTable.Rows.Keys.Order(), routes.Order());
    }

    [Theory]
    [MemberData(nameof(Functions))]
    public async Task Lets_in_whom_the_table_names_and_nobody_else(string function)
    {
        var endpoint = new EndpointCatalog().Find(function)!;
        var allowed = RoleTable.Rows[(endpoint.Methods[0], endpoint.Route)];
        Assert.NotNull(allowed);
        using var tenant = await app.NewTenantAsync();

        foreach (var role in RoleTable.All)
        {
            using var client = role == "platform" ? app.NewPlatformClient() : await tenant.NewClientAsync(role);
            var answer = await SendAsync(
                client, endpoint, Parameter().Replace(endpoint.Route, _ => Guid.NewGuid().ToString()), body: null);

            if (allowed.Contains(role))
            {
                Assert.False(
                    answer.Status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden,
                    $"{role} should be let in: {answer}");
            }
            else
            {
                answer.ExpectProblem(HttpStatusCode.Forbidden);
                Assert.Contains("insufficient_scope", answer.Header("WWW-Authenticate"));
            }
        }

        using var nobody = app.NewClient();
        var refused = await SendAsync(
            nobody, endpoint, Parameter().Replace(endpoint.Route, _ => Guid.NewGuid().ToString()), body: null);
        refused.ExpectProblem(HttpStatusCode.Unauthorized);
        Assert.StartsWith("Bearer", refused.Header("WWW-Authenticate"));
    }

    [Theory]
    [MemberData(nameof(FunctionsWithIds))]
    public async Task Another_tenant_s_id_is_not_found_whatever_the_role(string function)
    {
        var endpoint = new EndpointCatalog().Find(function)!;
        var allowed = RoleTable.Rows[(endpoint.Methods[0], endpoint.Route)];
        using var mine = await app.NewTenantAsync();
        using var other = await app.NewTenantAsync();
        var path = await ValidRequests.PathOfAsync(mine, endpoint.Route);

        foreach (var role in RoleTable.All.Where(role => role != "platform"))
        {
            using var client = await other.NewClientAsync(role);
            var answer = await SendAsync(client, endpoint, path, ValidRequests.BodyOf(endpoint));

            answer.ExpectProblem(allowed!.Contains(role) ? HttpStatusCode.NotFound : HttpStatusCode.Forbidden);
        }
    }

    private static Task<ApiResponse> SendAsync(ApiClient client, Endpoint endpoint, string path, object? body)
    {
        var query = endpoint.Function == "RecoverWebhook" ? "?since=2026-01-01T00:00:00Z" : "";
        var request = new HttpRequestMessage(new HttpMethod(endpoint.Methods[0]), $"/api/{path}{query}");
        if (body is not null)
            request.Content = JsonContent.Create(body);
        return client.SendAsync(request);
    }

    [GeneratedRegex(@"\{[^}]+\}")]
    private static partial Regex Parameter();
}
