using System.Runtime.InteropServices;
using ViralEngine.Testing;
using ViralEngine.Torture.Faults;
using ViralEngine.Torture.Load;
using ViralEngine.Torture.Promises;
using ViralEngine.Torture.Stack;

namespace ViralEngine.Torture;

/// <summary>Load and faults for some minutes; then calm; then the whole history is checked.</summary>
internal sealed class Run(TimeSpan length, int seed)
{
    /// <summary>Load alone, before the first fault and after the last; both are part of the length.</summary>
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(10);

    /// <summary>How long clients go on asking for answers when all faults are over.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    private readonly Timeline timeline = new();

    public async Task<IReadOnlyList<Promise>> RunAsync()
    {
        timeline.Say("starting three instances, PostgreSQL with a standby, Redis, a provider and a receiver");
        await using var world = await World.StartAsync(seed, timeline);
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => Leave(world));
        using var ended = PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => Leave(world));
        if (!world.Disk.CanBeFilled)
            timeline.Say("the disk of the database is not filled: that takes root, for a file system of its own");
        if (FakeTime.Library is null)
            timeline.Say("no clock is shifted: that takes libfaketime (Debian's package faketime)");
        var recorder = new Recorder();
        using var client = new Client(world, recorder, timeline);
        var tenants = new[]
        {
            await Tenant.CreateAsync(world, "blue", budget: 1000),
            await Tenant.CreateAsync(world, "green", budget: null)
        };
        var before = await Resources.MeasureAsync(world);

        var keeper = new Keeper(world, timeline);
        using var end = new CancellationTokenSource();
        var keeping = keeper.RunAsync(end.Token);
        await TormentAsync(world, client, recorder, tenants);
        var open = await Quiet.WaitAsync(world, timeline);
        await end.CancelAsync();
        await keeping;

        timeline.Say("checking");
        return await JudgeAsync(world, recorder, tenants, before, open, keeper.Ended);
    }

    /// <summary>Servers are processes that would outlive this one.</summary>
    private static void Leave(World world)
    {
        world.DisposeAsync().AsTask().Wait(TimeSpan.FromMinutes(1));
        Environment.Exit(130);
    }

    private async Task TormentAsync(World world, Client client, Recorder recorder, IReadOnlyList<Tenant> tenants)
    {
        using var stopLoad = new CancellationTokenSource();
        using var stopFaults = new CancellationTokenSource();
        using var over = new CancellationTokenSource();
        var readers = new StreamReaders(client, recorder);
        var backlog = new Backlog(world);
        var loads = Task.WhenAll(
            backlog.RunAsync(stopLoad.Token),
            new TaskLoad(client, recorder, readers, backlog, tenants).RunAsync(stopLoad.Token, over.Token),
            new BatchLoad(client, recorder, backlog, tenants).RunAsync(stopLoad.Token, over.Token),
            new WorkflowLoad(client, recorder, backlog, tenants).RunAsync(stopLoad.Token, over.Token));
        await Task.Delay(Calm);
        var faults = new Chaos(world, timeline, seed).RunAsync(stopFaults.Token);
        await Task.WhenAny(Task.Delay(length > 4 * Calm ? length - (2 * Calm) : length / 2), faults, loads);
        await stopFaults.CancelAsync();
        await faults;
        timeline.Say("no more faults");
        await Task.Delay(Calm);
        await stopLoad.CancelAsync();
        timeline.Say("no more load");
        over.CancelAfter(Patience);
        await loads;
        var (asked, repeated) = recorder.Sent;
        timeline.Say(
            $"{asked} requests, sent again {repeated} times: {recorder.Tasks.Count} tasks, "
            + $"{recorder.Batches.Count} batches, {recorder.Workflows.Count} workflows, "
            + $"{recorder.Streams.Count} readers; waiting until it is quiet");
    }

    private async Task<IReadOnlyList<Promise>> JudgeAsync(
        World world, Recorder recorder, IReadOnlyList<Tenant> tenants, Resources before,
        IReadOnlyList<(string What, long Count)> open,
        IReadOnlyList<string> ended)
    {
        await using var database = await world.OpenAsync(patience: 300);
        var evidence = new Evidence(
            tenants, recorder, await Rows.ReadAsync(database), world.Provider.Calls, world.Receiver.Received, timeline);
        CheckHistory(evidence);
        await Spoiled.CheckAsync(world, evidence, CheckHistory);
        var nothing = evidence.NewPromise("nothing is left open: no work, no orchestration, no transaction");
        nothing.Expect(open.Count == 0, () => string.Join(", ", open.Select(each => $"{each.Count} {each.What}")));
        var answers = evidence.NewPromise("answers are as documented, and an outage is told as one");
        foreach (var _ in recorder.Acknowledged)
            answers.Expect(true, () => "");
        foreach (var strange in recorder.Strange)
            answers.Expect(false, () => strange);
        var alive = evidence.NewPromise("no instance ends by itself");
        alive.Expect(ended.Count == 0, () => string.Join("\n    ", ended));
        var ready = evidence.NewPromise("an instance that is started becomes ready");
        foreach (var instance in world.Instances)
            ready.Expect(instance.NeverReady.Count == 0, () => string.Join("\n    ", instance.NeverReady));
        await before.CheckAsync(world, evidence);
        ReportErrors(world);
        return evidence.Promises;
    }

    private static void CheckHistory(Evidence evidence)
    {
        Acceptance.Check(evidence);
        Endings.Check(evidence);
        Streams.Check(evidence);
        Batches.Check(evidence);
        Approvals.Check(evidence);
        Money.Check(evidence);
        Webhooks.Check(evidence);
    }

    /// <summary>Said, and not judged: what is an error while things break is not known here.</summary>
    private void ReportErrors(World world)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Repository.Root, ".local", "torture")).FullName;
        timeline.Say($"the end of each instance's log is in {folder}");
        foreach (var instance in world.Instances)
        {
            File.WriteAllText(Path.Combine(folder, $"{instance.Number}.log"), instance.App.Output);
            if (instance.App.Faults is [var first, ..] faults)
                timeline.Say(
                    $"{instance.Name} logged {faults.Count} errors that no outage explains by its words. "
                    + $"The first:\n{first}");
        }
    }
}
