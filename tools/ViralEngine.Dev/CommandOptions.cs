namespace ViralEngine.Dev;

/// <summary>A mistake of whoever typed the command, to be shown without a stack trace.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>What follows the command's name, as pairs of <c>--name value</c>.</summary>
internal sealed class CommandOptions
{
    private readonly Dictionary<string, string> values = [];

    public CommandOptions(IReadOnlyList<string> args)
    {
        for (var i = 0; i < args.Count; i += 2)
        {
            if (!args[i].StartsWith("--", StringComparison.Ordinal) || i + 1 == args.Count)
                throw new UsageException($"expected --name value at: {args[i]}");
            values[args[i][2..]] = args[i + 1];
        }
    }

    public string Get(string name, string fallback) => values.GetValueOrDefault(name, fallback);

    public string Require(string name) =>
        values.GetValueOrDefault(name) ?? throw new UsageException($"--{name} is missing");

    public int GetNumber(string name, int fallback) =>
        !values.TryGetValue(name, out var text) ? fallback
        : int.TryParse(text, out var number) ? number
        : throw new UsageException($"--{name} {text}: not a number");

    /// <summary>A value that must not show in the list of processes, so it comes through the environment.</summary>
    public static string RequireSecret(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } secret
            ? secret
            : throw new UsageException($"{name} is not set in the environment");
}
