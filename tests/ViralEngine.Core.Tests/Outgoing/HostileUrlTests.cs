using System.Net;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Outgoing;

namespace ViralEngine.Core.Tests.Outgoing;

public sealed class HostileUrlTests : IDisposable
{
    private readonly CountingListener inside = new();

    public static TheoryData<string> HostileTexts => new(
        // Loopback in every spelling.
        "http://127.0.0.1:{port}/",
        "http://127.1:{port}/",
        "http://127.0.1:{port}/",
        "http://127.255.255.254:{port}/",
        "http://2130706433:{port}/",
        "http://0x7f000001:{port}/",
        "http://0x7f.0.0.1:{port}/",
        "http://0177.0.0.1:{port}/",
        "http://017700000001:{port}/",
        "http://0x7F.0x0.0x0.0x1:{port}/",
        "http://localhost:{port}/",
        "http://LOCALHOST:{port}/",
        "http://localhost.:{port}/",
        "http://anything.localhost:{port}/",
        "http://[::1]:{port}/",
        "http://[0:0:0:0:0:0:0:1]:{port}/",
        "http://[::]:{port}/",
        "http://0.0.0.0:{port}/",
        "http://0:{port}/",
        // IPv4 inside IPv6.
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://[::ffff:7f00:1]:{port}/",
        "http://[::ffff:0:127.0.0.1]:{port}/",
        "http://[::127.0.0.1]:{port}/",
        "http://[64:ff9b::127.0.0.1]:{port}/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://[64:ff9b:1::a00:1]/",
        "http://[2002:7f00:1::]:{port}/",
        "http://[2002:a9fe:a9fe::1]/",
        "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
        // Private and reserved networks.
        "http://10.0.0.1/",
        "http://172.16.0.1/",
        "http://172.31.255.255/",
        "http://192.168.1.1/",
        "http://100.64.0.1/",
        "http://169.254.1.1/",
        "http://198.18.0.1/",
        "http://192.0.2.1/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
        "http://[fe80::1]/",
        "http://[fe80::1%25eth0]/",
        "http://[fc00::1]/",
        "http://[fd12:3456:789a::1]/",
        "http://[fec0::1]/",
        "http://[ff02::1]/",
        "http://[2001:db8::1]/",
        // Metadata services.
        "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
        "http://2852039166/latest/meta-data/",
        "http://0xa9fea9fe/latest/meta-data/",
        "http://0251.0376.0251.0376/",
        "http://[::ffff:169.254.169.254]/",
        "http://[fd00:ec2::254]/latest/meta-data/",
        "http://[fd20:ce::254]/computeMetadata/v1/",
        "http://metadata.google.internal/computeMetadata/v1/",
        "http://METADATA.google.internal./computeMetadata/v1/",
        "http://169.254.170.2/v2/credentials",
        "http://168.63.129.16/machine?comp=goalstate",
        "http://100.100.100.200/latest/meta-data/",
        "http://192.0.0.192/latest/",
        // Credentials, and texts that parsers read differently.
        "http://user:password@example.com/",
        "http://user@example.com/",
        "http://@example.com/",
        "http://example.com@127.0.0.1:{port}/",
        "http://example.com:80@127.0.0.1:{port}/",
        "http://example.com\\@127.0.0.1:{port}/",
        "http:\\\\127.0.0.1:{port}/",
        "http://127.0.0.1:{port}\\.example.com/",
        "http://example.com /",
        "http://example.com\r\nHost: inside/",
        "http://①②⑦.⓪.⓪.①:{port}/",
        "http://127。0。0。1:{port}/",
        "http://ⓛocalhost:{port}/",
        // Ports of other protocols.
        "http://example.com:22/",
        "http://example.com:25/",
        "http://example.com:0/",
        "https://example.com:1023/",
        "https://example.com:445/",
        // Not HTTP.
        "file:///etc/passwd",
        "ftp://example.com/",
        "gopher://127.0.0.1:{port}/_FLUSHALL",
        "unix:///var/run/docker.sock",
        "data:text/plain,hello",
        "javascript:alert(1)",
        "//127.0.0.1:{port}/",
        "/inside",
        "");

    public static TheoryData<string> PrivateAnswers => new(
        "127.0.0.1",
        "::1",
        "10.1.2.3",
        "192.168.0.10",
        "100.100.100.200",
        "169.254.169.254",
        "168.63.129.16",
        "0.0.0.0",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "fd00:ec2::254",
        "fe80::1",
        "ff02::1");

    [Theory]
    [MemberData(nameof(HostileTexts))]
    public async Task Refuses_a_hostile_url_when_configured_and_when_called(string template)
    {
        var url = template.Replace("{port}", $"{inside.Port}", StringComparison.Ordinal);
        using var outgoing = new OutgoingHttp(Options.Create(new OutgoingOptions()));

        Assert.NotNull(outgoing.Urls.Check(url));

        if (Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            && url.All(c => c is > ' ' and < '\x7f' and not '\\'))
        {
            await AssertRefusedAsync(outgoing, uri);
        }

        Assert.Equal(0, inside.Connections);
    }

    [Theory]
    [MemberData(nameof(PrivateAnswers))]
    public async Task Refuses_a_name_that_resolves_to_an_inside_address(string answer)
    {
        using var outgoing = Resolving(IPAddress.Parse(answer));
        var url = new Uri($"http://hook.example.com:{inside.Port}/");

        Assert.Null(outgoing.Urls.Check(url.OriginalString));
        await AssertRefusedAsync(outgoing, url);

        Assert.Equal(0, inside.Connections);
    }

    [Fact]
    public async Task Refuses_a_name_with_an_inside_address_among_public_ones()
    {
        using var outgoing = Resolving(IPAddress.Parse("93.184.215.14"), IPAddress.Loopback);

        await AssertRefusedAsync(outgoing, new Uri($"http://hook.example.com:{inside.Port}/"));

        Assert.Equal(0, inside.Connections);
    }

    [Fact]
    public async Task A_name_that_changes_its_answer_after_the_check_gains_nothing()
    {
        // The first answer is an allowed address where nothing listens; a client that asked again would get the inside
        // one.
        var answers = new Queue<IPAddress>([IPAddress.Parse("127.0.0.9"), IPAddress.Parse("127.0.0.1")]);
        using var outgoing = new OutgoingHttp(
            Options.Create(new OutgoingOptions { AllowedNetworks = ["127.0.0.9/32"] }),
            (_, _) => Task.FromResult<IPAddress[]>([answers.Dequeue()]));
        var url = new Uri($"http://rebind.example.com:{ClosedPort()}/");

        var first = await Assert.ThrowsAsync<HttpRequestException>(() => outgoing.Client.GetAsync(url));
        Assert.Null(Find<OutgoingRefusedException>(first));
        Assert.Single(answers);
        await AssertRefusedAsync(outgoing, url);

        Assert.Equal(0, inside.Connections);
    }

    [Fact]
    public async Task Metadata_stays_refused_whatever_is_allowed()
    {
        using var outgoing = new OutgoingHttp(
            Options.Create(new OutgoingOptions { AllowedNetworks = ["0.0.0.0/0", "::/0"] }));

        await AssertRefusedAsync(outgoing, new Uri("http://169.254.169.254/latest/meta-data/"));
        await AssertRefusedAsync(outgoing, new Uri("http://[::ffff:169.254.169.254]/latest/meta-data/"));
        await AssertRefusedAsync(outgoing, new Uri("http://168.63.129.16/"));
    }

    [Theory]
    [InlineData("https://example.com/hook")]
    [InlineData("https://example.com:8443/hook?a=b@c")]
    [InlineData("http://93.184.215.14/")]
    [InlineData("https://[2606:4700::6810:84e5]/")]
    [InlineData("https://xn--bcher-kva.example/%C3%BC")]
    public void Takes_an_ordinary_url(string url)
    {
        using var outgoing = new OutgoingHttp(Options.Create(new OutgoingOptions()));

        Assert.Null(outgoing.Urls.Check(url));
    }

    public void Dispose() => inside.Dispose();

    private static OutgoingHttp Resolving(params IPAddress[] answer) =>
        new(Options.Create(new OutgoingOptions()), (_, _) => Task.FromResult(answer));

    private static async Task AssertRefusedAsync(OutgoingHttp outgoing, Uri url)
    {
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => outgoing.Client.GetAsync(url));

        Assert.NotNull(Find<OutgoingRefusedException>(failure));
    }

    private static T? Find<T>(Exception? e)
        where T : Exception
    {
        while (e is not (null or T))
            e = e.InnerException;
        return e as T;
    }

    private static int ClosedPort()
    {
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Parse("127.0.0.9"), 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
