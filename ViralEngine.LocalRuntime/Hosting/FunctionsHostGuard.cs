namespace ViralEngine.LocalRuntime.Hosting;

/// <summary>A binary built for this runtime cannot talk to the Functions host. It says so rather than letting the host
/// wait for a worker that never reports.</summary>
internal static class FunctionsHostGuard
{
    public const int ExitCode = 64;

    public const string Message =
        "This binary was built to run by itself (FunctionsRuntime=local), but the Azure Functions host has started it. "
        + "Build or publish it for the host with: dotnet publish ViralEngine.Functions -p:FunctionsRuntime=azure";

    public static bool StartedByHost(IReadOnlyList<string> args, string? workerRuntime) =>
        !string.IsNullOrEmpty(workerRuntime)
        && (args.Any(IsUri) || (args.Any(IsHost) && args.Any(IsWorkerId)));

    public static void ExitWhenStartedByHost(IReadOnlyList<string> args)
    {
        if (!StartedByHost(args, Environment.GetEnvironmentVariable("FUNCTIONS_WORKER_RUNTIME")))
            return;
        Console.Error.WriteLine(Message);
        Environment.Exit(ExitCode);
    }

    private static bool IsUri(string arg) => Is(arg, "--functions-uri");

    private static bool IsHost(string arg) => Is(arg, "--host");

    private static bool IsWorkerId(string arg) => Is(arg, "--workerId") || Is(arg, "--functions-worker-id");

    private static bool Is(string arg, string name) =>
        arg.Equals(name, StringComparison.OrdinalIgnoreCase)
        || arg.StartsWith(name + "=", StringComparison.OrdinalIgnoreCase);
}
