using System.Net;
using ViralEngine.LocalHost.Tests.Hosting;
using ViralEngine.Testing;

namespace ViralEngine.LocalHost.Tests.Contract;

/// <summary>What host.json and the environment say to the process.</summary>
public sealed class ConfigurationContractTests(ScratchDatabase database) : IClassFixture<ScratchDatabase>, IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("viral-engine-sample-").FullName;

    [Fact]
    public async Task Takes_the_route_prefix_and_names_the_settings_that_it_ignores()
    {
        await using var app = await WithHostJsonAsync(
            """
            {
              "version": "2.0",
              "functionTimeout": "00:05:00",
              "watchDirectories": [ "Shared" ],
              "extensions": {
                "http": { "routePrefix": "api", "hsts": { "isEnabled": true } },
                "durableTask": {
                  "hubName": "hub", "extendedSessionsEnabled": true, "maxConcurrentActivityFunctions": 3
                },
                "queues": { "batchSize": 16 }
              },
              "logging": { "logLevel": { "default": "Information" } }
            }
            """);

        foreach (var ignored in new[]
        {
            "functionTimeout", "watchDirectories.0", "extensions.http.hsts.isEnabled",
            "extensions.durableTask.extendedSessionsEnabled", "extensions.queues.batchSize",
        })
        {
            Assert.Equal(1, app.Logged($"host.json: '{ignored}' has no effect under the local host."));
        }

        Assert.Equal(5, app.Logged("has no effect under the local host."));
    }

    [Fact]
    public async Task Answers_429_beyond_the_requests_that_host_json_admits()
    {
        await using var app = await WithHostJsonAsync(
            """{ "extensions": { "http": { "maxConcurrentRequests": 2, "maxOutstandingRequests": 4 } } }""");
        using var leave = new CancellationTokenSource();
        var asked = Enumerable.Range(0, 10).Select(_ => app.Client.GetAsync("api/forever", leave.Token)).ToList();

        // Two run, two wait, and nobody of the four ends by himself.
        for (var refused = 0; refused < 6; refused++)
        {
            var first = await Task.WhenAny(asked).WaitAsync(Eventually.Bound);
            asked.Remove(first);
            Assert.Equal(HttpStatusCode.TooManyRequests, (await first).StatusCode);
        }

        await leave.CancelAsync();
        foreach (var held in asked) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => held);
        await app.UntilReadyAsync();
        // One that waited may begin before it is seen that its client has left too.
        await Eventually.GetAsync(
            app.NotesAsync,
            notes => notes.Count(note => note == "forever cancelled") is >= 2 and var cancelled
                && notes.Count(note => note == "forever began") == cancelled,
            "all that ran to be cancelled");
        Assert.Equal(0, app.Logged("nhandled exception"));
    }

    [Theory]
    [InlineData(
        """{"extensions":{"durableTask":{"storageProvider":{"controlQueueVisibilityTimeout":"00:00:30"}}}}""",
        "host.json: extensions.durableTask.storageProvider.controlQueueVisibilityTimeout is '00:00:30'.")]
    [InlineData(
        """{ "extensions": { "http": { "maxOutstandingRequests": "many" } } }""",
        "host.json: extensions.http.maxOutstandingRequests is 'many'.")]
    public async Task Refuses_to_start_with_a_host_json_that_the_functions_host_refuses(string hostJson, string message)
    {
        await using var app = Launch(hostJson);

        await app.ExitedAsync();

        Assert.NotEqual(0, app.ExitCode);
        Assert.Contains(message, app.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Sample__Tick", null, "Setting 'Sample:Tick', the schedule of timer 'Tick', is missing.")]
    [InlineData("Sample__Tick", "now and then", "'now and then' is not a timer schedule")]
    [InlineData("ASPNETCORE_URLS", "nowhere", "ASPNETCORE_URLS: Invalid url: 'nowhere'")]
    [InlineData("ConnectionStrings__Postgres", null, "ConnectionStrings:Postgres")]
    [InlineData("LocalHost__Durable__LeaseSeconds", "0", "LeaseSeconds")]
    public async Task Refuses_to_start_with_a_setting_that_is_missing_or_wrong(
        string name, string? value, string message)
    {
        await using var app = SampleApp.Create(database, SampleApp.Folder, (name, value));

        await app.ExitedAsync();

        Assert.NotEqual(0, app.ExitCode);
        Assert.Contains(message, app.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Listens_on_the_given_port_of_loopback_when_no_address_is_given()
    {
        await using var app = await SampleApp.StartAsync(
            database, ("ASPNETCORE_URLS", null), ("port", $"{FreePort.Take()}"));

        Assert.Equal("hello", await app.Client.GetStringAsync("api/hello"));
    }

    [Fact]
    public async Task Listens_on_every_address_that_is_given()
    {
        var (one, other) = (FreePort.Take(), FreePort.Take());
        await using var app = SampleApp.Create(
            database, SampleApp.Folder, ("ASPNETCORE_URLS", $"http://127.0.0.1:{one};http://localhost:{other}"));
        using var client = new HttpClient();

        foreach (var port in new[] { one, other })
        {
            await Eventually.TrueAsync(
                async () =>
                {
                    try
                    {
                        return await client.GetStringAsync($"http://127.0.0.1:{port}/api/hello") == "hello";
                    }
                    catch (HttpRequestException) when (!app.HasExited)
                    {
                        return false;
                    }
                },
                $"the app on port {port}");
        }
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private async Task<SampleApp> WithHostJsonAsync(string hostJson)
    {
        var app = Launch(hostJson);
        await app.UntilReadyAsync();
        return app;
    }

    private SampleApp Launch(string hostJson)
    {
        foreach (var file in Directory.EnumerateFiles(SampleApp.Folder, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(folder, Path.GetRelativePath(SampleApp.Folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        File.WriteAllText(Path.Combine(folder, "host.json"), hostJson);
        return SampleApp.Create(database, folder);
    }
}
