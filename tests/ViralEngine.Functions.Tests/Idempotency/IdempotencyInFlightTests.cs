using System.Net;
using System.Text;
using ViralEngine.Core.Storage;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Idempotency;

public sealed class IdempotencyInFlightTests(RunningApp running) : IClassFixture<RunningApp>
{
    [Fact]
    public async Task Tells_who_comes_while_the_first_is_in_flight()
    {
        using var tenant = await TestTenant.CreateAsync(running.App.Address, AppSettings.PlatformKey);
        var api = tenant.Owner;
        var released = new TaskCompletionSource();

        var first = SendSlowlyAsync();
        await Eventually.TrueAsync(IsClaimedAsync, "the first to be in flight");
        var turnedAway = await PostAsync(api, "slow", SlowJson.Text);
        released.SetResult();
        var made = (await first).Expect(HttpStatusCode.Created);
        var replayed = (await PostAsync(api, "slow", SlowJson.Text)).Expect(HttpStatusCode.Created);

        Assert.EndsWith("idempotency-key-in-flight", turnedAway.ExpectProblem(HttpStatusCode.Conflict).Type);
        Assert.Equal("1", turnedAway.Header("Retry-After"));
        Assert.Equal(made.Text, replayed.Text);

        async Task<bool> IsClaimedAsync()
        {
            await using var db = running.Postgres.NewDb();
            return await db.QueryOneAsync(
                DbScope.AllTenants, "SELECT EXISTS (SELECT FROM viral.idempotency_keys WHERE key = 'slow')", [], row => row.GetBoolean(0), default);
        }

        async Task<ApiResponse> SendSlowlyAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/tasks") { Content = new SlowJson(released.Task) };
            request.Headers.Add("Idempotency-Key", "slow");
            return await api.SendAsync(request);
        }
    }

    private static Task<ApiResponse> PostAsync(ApiClient api, string key, object body) =>
        api.PostAsync("/api/tasks", body, ("Idempotency-Key", key));

    /// <summary>Sends half of a body, and the rest when it is let.</summary>
    private sealed class SlowJson : HttpContent
    {
        public const string Text = """{"agent_id":"echo","description":"slow"}""";

        private readonly byte[] json = Encoding.UTF8.GetBytes(Text);
        private readonly Task released;

        public SlowJson(Task released)
        {
            this.released = released;
            Headers.ContentType = new("application/json");
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(json.AsMemory(0, json.Length / 2));
            await stream.FlushAsync();
            await released;
            await stream.WriteAsync(json.AsMemory(json.Length / 2));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
