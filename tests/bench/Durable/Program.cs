using System.Diagnostics;
using System.Net;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.DurableTask.Client.Grpc;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ViralEngine.Durable.Bench;
using ViralEngine.LocalHost.Durable;

// usage: <connection string> [count | serve]
//   count  runs that many single-activity orchestrations and prints what they cost
//   serve  runs whatever others schedule, until it is killed
var connectionString = args[0];
var mode = args.Length > 1 ? args[1] : "10000";
var builder = WebApplication.CreateSlimBuilder();
builder.Configuration.Sources.Clear();
builder.Configuration.AddInMemoryCollection([new("ConnectionStrings:Postgres", connectionString)]);
builder.Logging.ClearProviders().AddConsole().SetMinimumLevel(LogLevel.Warning);
builder.WebHost.ConfigureKestrel(kestrel =>
    kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
builder.Services.AddGrpc();
builder.Services.AddSingleton<ClientKey>();
builder.Services.AddSingleton<IDurableCode, EchoCode>();
builder.Services.AddLocalDurable();
await using var host = builder.Build();
host.MapGrpcService<DurableService>();
if (mode == "serve")
{
    await host.RunAsync();
    return;
}

await LocalDurableSchema.InstallAsync(connectionString, CancellationToken.None);
await host.StartAsync();
using var channel = GrpcChannel.ForAddress(host.Urls.Single());
var key = host.Services.GetRequiredService<ClientKey>().Value;
var calls = channel.CreateCallInvoker().Intercept(metadata =>
{
    metadata.Add(ClientKey.Header, key);
    return metadata;
});
await using var client = new GrpcDurableTaskClient("bench", new() { CallInvoker = calls }, NullLogger.Instance);
await RunAsync(200);
var count = int.Parse(mode, System.Globalization.CultureInfo.InvariantCulture);
var cpu = Process.GetCurrentProcess().TotalProcessorTime;
var watch = Stopwatch.StartNew();
await RunAsync(count);
watch.Stop();
cpu = Process.GetCurrentProcess().TotalProcessorTime - cpu;
Console.WriteLine($"{count} orchestrations of one activity, 64 callers that each await the end: "
    + $"{count / watch.Elapsed.TotalSeconds:F0}/s, {cpu.TotalMilliseconds / count:F3} ms of CPU each in this process");

cpu = Process.GetCurrentProcess().TotalProcessorTime;
watch.Restart();
await Parallel.ForEachAsync(
    Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = 64 },
    async (n, ct) => await client.ScheduleNewOrchestrationInstanceAsync(
        "One", "x", new StartOrchestrationOptions($"s{n}-{watch.ElapsedTicks}"), ct));
var scheduled = watch.Elapsed;
while (await LeftAsync() > 0) await Task.Delay(20);
Console.WriteLine($"{count} scheduled without waiting: {count / scheduled.TotalSeconds:F0}/s accepted, "
    + $"{count / watch.Elapsed.TotalSeconds:F0}/s finished, "
    + $"{(Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalMilliseconds / count:F3} ms of CPU each "
    + "in this process");

watch.Restart();
var wide = await client.ScheduleNewOrchestrationInstanceAsync("Many", 1000);
await client.WaitForInstanceCompletionAsync(wide);
Console.WriteLine($"one orchestration of 1,000 activities: {watch.Elapsed.TotalSeconds:F2} s");
await host.StopAsync();

async Task RunAsync(int number) =>
    await Parallel.ForEachAsync(
        Enumerable.Range(0, number), new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (_, ct) =>
        {
            var id = await client.ScheduleNewOrchestrationInstanceAsync("One", "x", ct);
            await client.WaitForInstanceCompletionAsync(id, ct);
        });

async Task<int> LeftAsync()
{
    var left = 0;
    await foreach (var _ in client.GetAllInstancesAsync(new()
    {
        Statuses = [OrchestrationRuntimeStatus.Pending, OrchestrationRuntimeStatus.Running],
        PageSize = 1,
    }))
    {
        left++;
        break;
    }

    return left;
}
