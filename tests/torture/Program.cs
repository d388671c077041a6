using System.Globalization;
using ViralEngine.Torture;

const int MaxShown = 10;
var minutes = 5.0;
int? seed = null;
for (var i = 0; i < args.Length; i++)
{
    if (args[i] == "--seed" && i + 1 < args.Length
        && int.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var given))
        (seed, i) = (given, i + 1);
    else if (!double.TryParse(args[i], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out minutes)
        || minutes <= 0)
        return Usage($"'{args[i]}' is not known here.");
}

seed ??= Random.Shared.Next(1_000_000);
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{minutes} minutes of torture with seed {seed}"));
var promises = await new Run(TimeSpan.FromMinutes(minutes), seed.Value).RunAsync();

Console.WriteLine();
foreach (var promise in promises)
{
    Console.WriteLine($"{(promise.IsKept ? "kept  " : "BROKEN")}  {promise.Name}: {promise.Observations} observations"
        + (promise.Violations.Count > 0 ? $", {promise.Violations.Count} violations"
            : promise.IsKept ? "" : ", and one that was never tried is not kept"));
    foreach (var violation in promise.Violations.Take(MaxShown))
        Console.WriteLine($"    {violation}");
    if (promise.Violations.Count > MaxShown)
        Console.WriteLine($"    and {promise.Violations.Count - MaxShown} more");
}

var broken = promises.Count(promise => !promise.IsKept);
if (broken > 0)
    Console.WriteLine(
        "\nThe same faults in the same order: ./dev torture "
        + $"{minutes.ToString(CultureInfo.InvariantCulture)} --seed {seed}");
Console.WriteLine($"{promises.Count - broken} passed, {broken} failed");
return broken == 0 ? 0 : 1;

static int Usage(string fault)
{
    Console.Error.WriteLine($"{fault}\nusage: torture [minutes] [--seed N]");
    return 2;
}
