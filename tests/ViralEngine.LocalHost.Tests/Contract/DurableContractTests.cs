using System.Net;
using System.Text.Json;
using ViralEngine.Testing;

namespace ViralEngine.LocalHost.Tests.Contract;

/// <summary>Orchestrations on the real worker's extension, driven by its client within the app.</summary>
public sealed class DurableContractTests(SampleFixture sample) : IClassFixture<SampleFixture>
{
    private readonly SampleApp app = sample.App;
    private readonly string id = Guid.NewGuid().ToString("N");

    [Fact]
    public async Task Carries_inputs_and_outputs_of_every_kind()
    {
        var finished = await RunAsync("Chain", "\"Ada\"");

        Assert.Equal("Completed", finished.Status);
        Assert.Equal("Hello \"Ada\" – ü 42 3,2,1 null Ada", JsonSerializer.Deserialize<string>(finished.Output!));
        Assert.Contains($"sum for {id} in Sum", await app.NotesAsync());
        Assert.Contains("middleware Greet", await app.NotesAsync());
        await app.LoggedAsync("chain of Ada began");
        Assert.Equal(1, app.Logged("chain of Ada began"));
    }

    [Fact]
    public async Task Fails_with_the_details_of_what_its_activity_threw_and_logs_both()
    {
        var finished = await RunAsync("CallsFailing");

        Assert.Equal("Failed", finished.Status);
        Assert.Contains("'Fail'", finished.Failure, StringComparison.Ordinal);
        Assert.Contains("bad input", finished.Failure, StringComparison.Ordinal);
        Assert.Equal("System.ArgumentException", finished.Inner);
        await app.LoggedAsync($"Activity Fail of {id} (#0) failed: System.ArgumentException: bad input");
        await app.LoggedAsync($"Orchestration CallsFailing ({id}) failed");
    }

    [Fact]
    public async Task Lets_the_orchestrator_catch_a_failure_with_its_cause() => Assert.Equal(
        "System.ArgumentException: bad input; System.FormatException: the reason", await OutputAsync("Catches"));

    [Fact]
    public async Task Retries_as_the_policy_says()
    {
        Assert.Equal("Completed", (await RunAsync("Retries")).Status);
        Assert.Equal(3, (await app.NotesAsync()).Count(note => note == $"tried {id}"));
    }

    [Fact]
    public async Task Calls_sub_orchestrations_and_hears_of_their_failure()
    {
        var output = await OutputAsync("Parent");

        Assert.StartsWith("2 4 6 ", output, StringComparison.Ordinal);
        Assert.Contains("bad input", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Continues_as_new_with_the_events_that_nobody_took()
    {
        await StartAsync("Gathers");
        foreach (var letter in "abc") await CommandAsync($"raise?event=letter&value={letter}");

        await CommandAsync("raise?event=begin&value=now");

        Assert.Equal("abc", JsonSerializer.Deserialize<string>((await FinishedAsync()).Output!));
    }

    [Fact]
    public async Task Sleeps_and_lets_timers_race() => Assert.Equal("True True", await OutputAsync("Sleeps"));

    [Fact]
    public async Task Raises_an_event_and_tells_the_status()
    {
        await StartAsync("Waits");
        var waiting = await Eventually.GetAsync(
            StatusAsync, found => found.CustomStatus is not null, "the custom status");
        await CommandAsync("raise?event=go&value=now");

        Assert.Equal("\"waiting\"", waiting.CustomStatus);
        Assert.Equal("Running", waiting.Status);
        Assert.Equal("\"now\"", (await FinishedAsync()).Output);
    }

    [Fact]
    public async Task Suspends_resumes_terminates_and_purges()
    {
        await StartAsync("Waits");
        await CommandAsync("suspend");
        await Eventually.GetAsync(StatusAsync, found => found.Status == "Suspended", "suspension");
        await CommandAsync("resume");
        await Eventually.GetAsync(StatusAsync, found => found.Status == "Running", "resumption");
        await CommandAsync("terminate");
        var terminated = await FinishedAsync();
        var purged = await CommandAsync("purge");
        using var gone = await app.Client.GetAsync($"api/orchestrations/{id}");

        Assert.Equal("Terminated", terminated.Status);
        Assert.Equal("\"enough\"", terminated.Output);
        Assert.Equal("1", purged);
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
    }

    [Fact]
    public async Task Refuses_to_start_an_instance_that_is_running()
    {
        await StartAsync("Waits");

        using var again = await app.Client.PostAsync($"api/orchestrations/Waits/{id}", null);

        Assert.Equal(HttpStatusCode.Conflict, again.StatusCode);
        Assert.Contains("already exists", await again.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fails_an_orchestrator_that_is_not_deterministic()
    {
        var finished = await RunAsync("Wavers");

        Assert.Equal("Failed", finished.Status);
        Assert.Contains("NonDeterministic", finished.FailureType, StringComparison.Ordinal);
        await app.LoggedAsync($"Orchestration Wavers ({id}) failed");
    }

    [Fact]
    public async Task Fails_an_orchestrator_that_awaits_what_is_not_durable()
    {
        var finished = await RunAsync("AwaitsClock");

        Assert.Equal("Failed", finished.Status);
        Assert.Contains("invalid asynchronous invocation", finished.Failure, StringComparison.Ordinal);
        await app.LoggedAsync($"Orchestration AwaitsClock ({id}) failed");
    }

    [Theory]
    [InlineData("Spoilt", "spoilt")]
    [InlineData("NoSuchOrchestrator", "NoSuchOrchestrator")]
    public async Task Fails_what_throws_and_what_is_not_there(string name, string failure)
    {
        var finished = await RunAsync(name);

        Assert.Equal("Failed", finished.Status);
        Assert.Contains(failure, finished.Failure, StringComparison.Ordinal);
    }

    private async Task<string> OutputAsync(string name)
    {
        var finished = await RunAsync(name);
        Assert.True(finished.Status == "Completed", finished.ToString());
        return JsonSerializer.Deserialize<string>(finished.Output!)!;
    }

    private async Task<Instance> RunAsync(string name, string? input = null)
    {
        await StartAsync(name, input);
        return await FinishedAsync();
    }

    private Task StartAsync(string name, string? input = null) => SampleOrchestrations.StartAsync(app, name, id, input);

    private Task<Instance> FinishedAsync() => SampleOrchestrations.FinishedAsync(app, id);

    private Task<Instance> StatusAsync() => SampleOrchestrations.StatusAsync(app, id);

    private async Task<string> CommandAsync(string command)
    {
        using var response = await app.Client.PutAsync($"api/orchestrations/{id}/{command}", null);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadAsStringAsync();
    }
}
