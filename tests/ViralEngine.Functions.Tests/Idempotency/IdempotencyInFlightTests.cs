using System.Net;
using ViralEngine.Core.Storage;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Idempotency;

public sealed class IdempotencyInFlightTests(RunningApp running) : IClassFixture<RunningApp>
{
    private const string Json = """{"agent_id":"echo","description":"slow"}""";

    [Fact]
    public async Task Tells_who_comes_while_the_first_is_in_flight()
    {
        using var tenant = await TestTenant.CreateAsync(running.App.Address, AppSettings.PlatformKey);
        var api = tenant.Owner;
        using var body = new HeldBody(Json);

        var first = SendSlowlyAsync();
        await Eventually.TrueAsync(IsClaimedAsync, "the first to be in flight");
        var turnedAway = await PostAsync(api, "slow", Json);
        body.Release();
        var made = (await first).Expect(HttpStatusCode.Created);
        var replayed = (await PostAsync(api, "slow", Json)).Expect(HttpStatusCode.Created);

        Assert.EndsWith("idempotency-key-in-flight", turnedAway.ExpectProblem(HttpStatusCode.Conflict).Type);
        Assert.Equal("1", turnedAway.Header("Retry-After"));
        Assert.Equal(made.Text, replayed.Text);

        async Task<bool> IsClaimedAsync()
        {
            await using var db = running.Postgres.NewDb();
            return await db.QueryOneAsync(
                DbScope.AllTenants, "SELECT EXISTS (SELECT FROM viral.idempotency_keys WHERE key = 'slow')", [],
                row => row.GetBoolean(0), default);
        }

        async Task<ApiResponse> SendSlowlyAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/tasks") { Content = body };
            request.Headers.Add("Idempotency-Key", "slow");
            return await api.SendAsync(request);
        }
    }

    private static Task<ApiResponse> PostAsync(ApiClient api, string key, object body) =>
        api.PostAsync("/api/tasks", body, ("Idempotency-Key", key));
}
