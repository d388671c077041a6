using Microsoft.Extensions.Time.Testing;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Agents.Echo;

namespace ViralEngine.Core.Tests.Agents;

public sealed class EchoProviderTests : IDisposable
{
    private readonly AgentBench bench = new();

    [Theory]
    [InlineData("one two three")]
    [InlineData("  leading,  double\n\tand trailing \n")]
    [InlineData("single")]
    [InlineData("   ")]
    [InlineData("grüße 世界 🌍")]
    public async Task Gives_the_description_back(string description)
    {
        var chunks = await bench.Run(AgentBench.Echo(), description).ToListAsync();

        Assert.Equal(description, AgentBench.TextOf(chunks));
    }

    [Fact]
    public async Task Streams_word_by_word_and_counts_words_as_tokens()
    {
        var chunks = await bench.Run(AgentBench.Echo(), "one two three").ToListAsync();

        Assert.Equal(
            [
                new AgentChunk.Text("one "), new AgentChunk.Text("two "), new AgentChunk.Text("three"),
                new AgentChunk.Usage(3, 3, "echo"),
            ],
            chunks);
    }

    [Fact]
    public async Task Repeats_in_larger_pieces_and_reports_progress()
    {
        var agent = AgentBench.Echo(new EchoSettings { ChunkSize = 2, Repeat = 2, Progress = true });

        var chunks = await bench.Run(agent, "one two three").ToListAsync();

        Assert.Equal("one two three one two three", AgentBench.TextOf(chunks));
        Assert.Equal([0.25, 0.5, 0.75, 1], chunks.OfType<AgentChunk.Progress>().Select(p => p.Fraction));
        Assert.Equal(new AgentChunk.Usage(3, 6, "echo"), chunks[^1]);
    }

    [Fact]
    public async Task Fails_the_first_attempts_and_then_works()
    {
        var agent = AgentBench.Echo(new EchoSettings
        {
            FailWith = ErrorClass.RateLimited,
            FailFirstAttempts = 2,
            RetryAfterSeconds = 7,
        });

        var failure = await Assert.ThrowsAsync<AgentException>(
            async () => await bench.Run(agent, attempt: 2).ToListAsync());
        var chunks = await bench.Run(agent, "works", attempt: 3).ToListAsync();

        Assert.Equal(ErrorClass.RateLimited, failure.ErrorClass);
        Assert.Equal(TimeSpan.FromSeconds(7), failure.RetryAfter);
        Assert.Equal("works", AgentBench.TextOf(chunks));
    }

    [Fact]
    public async Task Fails_in_mid_stream()
    {
        var agent = AgentBench.Echo(new EchoSettings { FailWith = ErrorClass.Unavailable, FailAfterChunks = 2 });
        var seen = new List<AgentChunk>();

        await Assert.ThrowsAsync<AgentException>(async () =>
        {
            await foreach (var chunk in bench.Run(agent, "one two three"))
                seen.Add(chunk);
        });

        Assert.Equal("one two ", AgentBench.TextOf(seen));
    }

    [Fact]
    public async Task Is_as_slow_as_told()
    {
        var time = new FakeTimeProvider();
        using var slow = new AgentBench(time: time);
        await using var chunks = slow.Run(AgentBench.Echo(new EchoSettings { DelayMsPerChunk = 5000 }))
            .GetAsyncEnumerator();

        var first = chunks.MoveNextAsync().AsTask();
        time.Advance(TimeSpan.FromMilliseconds(4999));
        Assert.False(first.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.True(await first);
    }

    [Fact]
    public async Task Ends_at_the_time_limit()
    {
        var time = new FakeTimeProvider();
        using var slow = new AgentBench(time: time);
        var all = slow.Run(AgentBench.Echo(new EchoSettings { DelayMsPerChunk = 60_000 }), timeoutSeconds: 10)
            .ToListAsync().AsTask();

        time.Advance(TimeSpan.FromSeconds(10));

        var failure = await Assert.ThrowsAsync<AgentException>(() => all);
        Assert.Equal(ErrorClass.Timeout, failure.ErrorClass);
        Assert.Equal("echo did not answer in time.", failure.Message);
    }

    [Fact]
    public async Task Cancellation_is_not_a_failure_of_the_provider()
    {
        using var cancel = new CancellationTokenSource();
        var agent = AgentBench.Echo(new EchoSettings { DelayMsPerChunk = 60_000 });
        var all = bench.Run(agent, ct: cancel.Token).ToListAsync().AsTask();

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => all);
    }

    public void Dispose() => bench.Dispose();
}
