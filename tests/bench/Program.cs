using ViralEngine.Bench;
using ViralEngine.Testing;

// The measurements' own provider, in a process that they start.
if (args is [SlowProvider.Command])
{
    await SlowProvider.ServeAsync();
    return 0;
}

// Each measurement starts the app as a process of its own on a fresh database and prints ratios within this run: the
// machine's speed differs from day to day, the ratio much less.
var measurements = new Dictionary<string, Func<BenchStack, Task>>
{
    ["start"] = StartBench.RunAsync,
    ["host"] = HostBench.RunAsync,
    ["requests"] = RequestBench.RunAsync,
    ["tasks"] = TaskBench.RunAsync,
    ["streams"] = StreamBench.RunAsync,
    ["batch"] = BatchBench.RunAsync,
    ["calls"] = CallBench.RunAsync,
    ["flow"] = FlowBench.RunAsync,
    ["recording"] = RecordingBench.RunAsync,
    ["watch"] = WatchBench.RunAsync,
    ["console"] = ConsoleBench.RunAsync,
    ["lists"] = _ => ListBench.RunAsync(),
};

var chosen = args.Length == 0 ? measurements.Keys.ToArray() : args;
if (chosen.FirstOrDefault(name => !measurements.ContainsKey(name)) is { } unknown)
{
    Console.Error.WriteLine(
        $"No measurement is called '{unknown}'. There are: {string.Join(", ", measurements.Keys)}.");
    return 2;
}

var postgres = new TestPostgres();
await postgres.InitializeAsync();
try
{
    await using var stack = await BenchStack.StartAsync(postgres);
    foreach (var name in chosen)
        await measurements[name](stack);
}
catch (CommandException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
finally
{
    await postgres.DisposeAsync();
}

return 0;
