using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ViralEngine.LocalRuntime.Tests.Hosting;

public sealed class ListenAddressTests
{
    [Theory]
    [InlineData("http://127.0.0.1:7071")]
    [InlineData("http://127.0.0.1:7072", "--port", "7072")]
    [InlineData("http://127.0.0.1:7073", "--port=7073", "--http_ports", "8080")]
    public void Listens_on_loopback_unless_told_otherwise(string expected, params string[] args)
    {
        using var host = new FunctionsApplicationBuilder(args, AppContext.BaseDirectory, []).Build();

        Assert.Equal([expected], Addresses(host));
    }

    [Fact]
    public async Task Gives_way_to_the_addresses_of_the_web_server()
    {
        using var host = new FunctionsApplicationBuilder(
            ["--urls", "http://127.0.0.1:0", "--port", "7072"], AppContext.BaseDirectory, []).Build();

        await host.StartAsync();

        Assert.DoesNotContain("http://127.0.0.1:7072", Addresses(host));
        Assert.StartsWith("http://127.0.0.1:", Assert.Single(Addresses(host)), StringComparison.Ordinal);
        await host.StopAsync();
    }

    [Theory]
    [InlineData("seven")]
    [InlineData("70000")]
    public void Refuses_a_port_that_is_none(string port)
    {
        var builder = new FunctionsApplicationBuilder(["--port", port], AppContext.BaseDirectory, []);

        var refusal = Assert.Throws<InvalidOperationException>(builder.Build);

        Assert.Equal($"Setting 'port' is '{port}'. It should be a number from 0 to 65535.", refusal.Message);
    }

    private static ICollection<string> Addresses(IHost host) =>
        host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
}
