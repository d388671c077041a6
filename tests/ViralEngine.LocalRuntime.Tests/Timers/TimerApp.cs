using Microsoft.Extensions.DependencyInjection;
using ViralEngine.LocalRuntime.Tests.Hosting;

namespace ViralEngine.LocalRuntime.Tests.Timers;

/// <summary>Starts apps of one timer class over a test's database.</summary>
internal static class TimerApp
{
    public static Task<RunningApp> StartAsync<TFunctions>(
        ScratchDatabase database,
        TimerRuns runs,
        TimeProvider? time = null,
        params (string Name, string Value)[] settings) =>
        RunningApp.StartAsync(
            builder =>
            {
                builder.Configuration["ConnectionStrings:Postgres"] = database.ConnectionString;
                foreach (var (name, value) in settings)
                    builder.Configuration[name] = value;
                builder.Services.AddSingleton(runs);
                if (time is not null)
                    builder.Services.AddSingleton(time);
            },
            [typeof(TFunctions)]);
}
