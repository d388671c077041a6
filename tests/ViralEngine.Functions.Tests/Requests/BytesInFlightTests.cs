using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Storage;
using ViralEngine.Functions.Requests;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Requests;

public sealed class BytesInFlightTests
{
    private const long Most = 8L << 20;
    private readonly TenantId one = new(Guid.NewGuid());
    private readonly TenantId other = new(Guid.NewGuid());
    private readonly BytesInFlight inFlight = new(
        Options.Create(new EdgeOptions { MaxBytesInFlight = Most }), TimeProvider.System);

    [Fact]
    public async Task A_tenant_has_half_and_all_have_no_more_than_all()
    {
        using var half = inFlight.Take(one, Most / 2);

        var own = Assert.Throws<ProblemException>(() => inFlight.Take(one, 1));
        using var second = inFlight.Take(other, Most / 2);
        var all = await Assert.ThrowsAsync<ProblemException>(
            () => inFlight.TakeAsync(new TenantId(Guid.NewGuid()), 1, default));

        Assert.Equal(429, own.Problem.Status);
        Assert.Equal(503, all.Problem.Status);
        Assert.Equal(Most, inFlight.Total);
    }

    [Fact]
    public async Task What_is_given_back_goes_to_who_waits_and_one_that_is_larger_than_all_goes_alone()
    {
        var held = inFlight.Take(one, Most / 2);
        var waits = inFlight.TakeAsync(one, 10 * Most, default);

        Assert.False(waits.IsCompleted);
        held.Dispose();
        using var large = await waits;

        Assert.Equal(10 * Most, inFlight.Total);
        large.Dispose();
        large.Dispose();
        Assert.Equal(0, inFlight.Total);
    }
}

/// <summary>Shares of an instance, from outside.</summary>
public sealed class TenantShareTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    [Fact]
    public async Task A_tenant_that_holds_its_share_is_told_to_wait_and_others_are_not()
    {
        await using var app = await AppProcess.StartAsync(new AppSettings(postgres)
            .With("Edge:MaxRequestsPerTenant", "3").With("Edge:MaxStreamsPerTenant", "2").With(
                "Edge:BodyGraceSeconds", "60"));
        using var noisy = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        using var quiet = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        var task = await noisy.SubmitAsync(
            new { agent_id = "echo", description = "later", scheduled_at = DateTime.UtcNow.AddHours(1) });
        var held = new List<TcpClient>();
        // One more with each question: a question that comes first takes the place of one.
        await Eventually.TrueAsync(
            async () =>
            {
                held.Add(await HoldAsync());
                return (await noisy.Owner.GetAsync("/api/tasks")).Status == HttpStatusCode.TooManyRequests;
            },
            "the share to be used up");
        var refused = await noisy.Owner.GetAsync("/api/tasks");
        (await quiet.Owner.GetAsync("/api/tasks")).Expect(HttpStatusCode.OK);
        using var one = await noisy.Owner.OpenAsync(Stream(), default);
        using var two = await noisy.Owner.OpenAsync(Stream(), default);
        using var three = await noisy.Owner.OpenAsync(Stream(), default);

        Assert.EndsWith("too-many-at-once", refused.ExpectProblem(HttpStatusCode.TooManyRequests).Type);
        Assert.Equal("1", refused.Header("Retry-After"));
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.TooManyRequests), (two.StatusCode, three.StatusCode));
        held.ForEach(client => client.Dispose());
        await Eventually.TrueAsync(
            async () => (await noisy.Owner.GetAsync("/api/tasks")).Status == HttpStatusCode.OK,
            "the share to be free again");

        async Task<TcpClient> HoldAsync()
        {
            var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, app.Port);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
                $"POST /api/tasks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {noisy.OwnerKey}\r\n"
                + "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"));
            return client;
        }

        HttpRequestMessage Stream() => new(HttpMethod.Get, $"/api/tasks/{task}/stream");
    }
}
