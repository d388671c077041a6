using ViralEngine.Anomaly.Bench;

// The detector as the product runs it, without a database: over a folder of files in the Numenta Anomaly Benchmark's
// form, or over a synthetic year and over noise.
var simple = args.SkipWhile(arg => arg != "--mode").ElementAtOrDefault(1) switch
{
    null or "default" => false,
    "simple" => true,
    var other => throw new ArgumentException($"There is no mode '{other}'; there are: default, simple."),
};
var folders = args.TakeWhile(arg => !arg.StartsWith("--", StringComparison.Ordinal)).ToArray();
if (folders.Length == 2)
{
    NabBench.Run(folders[0], folders[1], simple);
    return 0;
}

if (folders.Length != 0)
{
    Console.Error.WriteLine("usage: ./dev bench anomaly [DATA OUT] [--mode simple]");
    return 2;
}

YearBench.Run();
NoiseBench.Run();
return 0;
