using System.Globalization;
using System.Runtime.InteropServices;
using Garnet;

namespace ViralEngine.Dev;

/// <summary>
/// The stack's Redis-protocol server: Garnet on loopback, with a password, scripts and pub/sub, in bounded memory. It
/// keeps nothing on disk: what the app has in Redis may be lost at any time without harm.
/// </summary>
internal static class RedisCommand
{
    public static int Run(CommandOptions options)
    {
        using var server = new GarnetServer(
        [
            "--bind", "127.0.0.1",
            "--port", options.GetNumber("port", 6379).ToString(CultureInfo.InvariantCulture),
            "--auth", "Password",
            "--password", CommandOptions.RequireSecret("VIRAL_REDIS_PASSWORD"),
            "--memory", "128m",
            "--page", "4m",
            "--index", "4m",
            "--index-max-size", "32m",
            "--buffer-pool-memory-budget", "16m",
            // A script sees and changes its keys in one step, as in Redis.
            "--lua", "true",
            "--lua-transaction-mode", "true",
            "--logger-level", "Warning",
            "-q",
        ]);

        using var stopped = new ManualResetEventSlim();
        using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        server.Start();
        stopped.Wait();
        return 0;

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stopped.Set();
        }
    }
}
