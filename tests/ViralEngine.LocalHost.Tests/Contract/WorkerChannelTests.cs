using System.Net;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.DurableTask.Protobuf;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ViralEngine.LocalHost.Durable;
using ViralEngine.LocalHost.Tests.Hosting;
using ViralEngine.LocalHost.Worker;
using ViralEngine.LocalHost.Worker.Protocol;
using ViralEngine.Testing;
using RpcException = Grpc.Core.RpcException;

namespace ViralEngine.LocalHost.Tests.Contract;

/// <summary>The channel to the worker, from its host's side: here the worker is a process of its own.</summary>
public sealed class WorkerChannelTests(ScratchDatabase database) : IClassFixture<ScratchDatabase>
{
    [Fact]
    public async Task Loads_the_functions_invokes_them_cancels_them_and_ends_the_worker()
    {
        await using var host = await StartHostAsync();
        await using var worker = StartWorker(host);
        var channel = host.Services.GetRequiredService<WorkerChannel>();
        var invocations = host.Services.GetRequiredService<Invocations>();

        var functions = await channel.Ready.WaitAsync(Eventually.Bound * 2);
        var tick = await channel.InvokeAsync(invocations.Timer(functions["tick"], """{"IsPastDue":true}"""), default);
        var sum = await ActivityAsync("Sum", """{"Left":1,"Right":2}""");
        var failed = await ActivityAsync("Fail", "\"bad\"");
        var endless = invocations.Activity(functions["Endless"], Work("Endless", null));
        var ending = channel.Send(endless);
        Assert.Equal(1, channel.InFlight);
        // The worker forgets a cancellation that comes before it has begun the invocation.
        await Eventually.TrueAsync(
            () =>
            {
                channel.Cancel(endless.InvocationId);
                return ending.IsCompleted;
            },
            "the cancelled function to end");
        var cancelled = await ending;
        channel.Terminate();
        await Eventually.TrueAsync(() => worker.HasExited, "the worker to end");
        await channel.Gone.WaitAsync(Eventually.Bound);

        Assert.Equal("httpTrigger", functions["Hello"].TriggerType);
        Assert.Equal("orchestrationTrigger", functions["Chain"].TriggerType);
        Assert.Equal(["durable"], functions["OrchestrationStart"].DurableClients);
        Assert.Equal(StatusResult.Types.Status.Success, tick.Result.Status);
        Assert.Equal("3", sum.ReturnValue.Json);
        Assert.Equal(StatusResult.Types.Status.Failure, failed.Result.Status);
        var details = JsonParser.Default.Parse<TaskFailureDetails>(failed.Result.Exception.Message);
        Assert.Equal(("System.ArgumentException", "bad"), (details.ErrorType, details.ErrorMessage));
        Assert.NotEqual(StatusResult.Types.Status.Success, cancelled.Result.Status);
        Assert.Equal(0, worker.ExitCode);

        Task<InvocationResponse> ActivityAsync(string name, string? input) =>
            channel.InvokeAsync(invocations.Activity(functions[name], Work(name, input)), default);
    }

    [Fact]
    public async Task Answers_invocations_in_flight_as_cancelled_when_the_worker_dies()
    {
        await using var host = await StartHostAsync();
        await using var worker = StartWorker(host);
        var channel = host.Services.GetRequiredService<WorkerChannel>();
        var functions = await channel.Ready.WaitAsync(Eventually.Bound * 2);
        var invocations = host.Services.GetRequiredService<Invocations>();
        var endless = EndlessAsync();

        await worker.KillAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => endless.WaitAsync(Eventually.Bound));
        await channel.Gone.WaitAsync(Eventually.Bound);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(EndlessAsync);

        Task<InvocationResponse> EndlessAsync() =>
            channel.InvokeAsync(invocations.Activity(functions["Endless"], Work("Endless", null)), default);
    }

    [Fact]
    public async Task Refuses_who_is_not_the_worker_and_who_is_no_client_of_this_process()
    {
        await using var app = await SampleApp.StartAsync(database);
        using var channel = GrpcChannel.ForAddress(await VariableAsync(app, "Functions__Worker__HostEndpoint"));
        var workerId = await VariableAsync(app, "Functions__Worker__WorkerId");

        Assert.Equal(StatusCode.PermissionDenied, await ConnectAsync(channel, "somebody"));
        Assert.Equal(StatusCode.AlreadyExists, await ConnectAsync(channel, workerId));
        var durable = new TaskHubSidecarService.TaskHubSidecarServiceClient(channel);
        foreach (var key in new[] { "", "somebody", workerId })
        {
            var refusal = await Assert.ThrowsAsync<RpcException>(async () => await durable.GetInstanceAsync(
                new() { InstanceId = "any" }, new Metadata { { ClientKey.Header, key } }));
            Assert.Equal(StatusCode.PermissionDenied, refusal.StatusCode);
        }

        Assert.Equal("hello", await app.Client.GetStringAsync("api/hello"));
    }

    private static async Task<WebApplication> StartHostAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var endpoint = new HostEndpoint();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, endpoint.Port, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(endpoint);
        builder.Services.AddSingleton(new WorkerIdentity(SampleApp.Folder));
        builder.Services.AddSingleton<WorkerLog>();
        builder.Services.AddSingleton<WorkerChannel>();
        builder.Services.AddSingleton<FunctionRpcService>();
        builder.Services.AddSingleton<ClientKey>();
        builder.Services.AddSingleton<Invocations>();
        var host = builder.Build();
        host.MapGrpcService<FunctionRpcService>();
        await host.StartAsync();
        return host;
    }

    private static ChildProcess StartWorker(WebApplication host) => ChildProcess.Start(
        Path.Combine(SampleApp.Folder, "ViralEngine.LocalHost.Sample.dll"),
        [],
        host.Services.GetRequiredService<WorkerIdentity>()
            .Environment(host.Services.GetRequiredService<HostEndpoint>().Address)
            .ToDictionary(setting => setting.Key, string? (setting) => setting.Value));

    private static ActivityWork Work(string name, string? input) =>
        new("instance", Guid.NewGuid(), 0, name, input, null);

    /// <summary>Says who it is, as a worker does first, and returns what becomes of it.</summary>
    private static async Task<StatusCode> ConnectAsync(GrpcChannel channel, string workerId)
    {
        var method = new Method<StreamingMessage, StreamingMessage>(
            MethodType.DuplexStreaming,
            "AzureFunctionsRpcMessages.FunctionRpc",
            "EventStream",
            Marshallers.Create(message => message.ToByteArray(), StreamingMessage.Parser.ParseFrom),
            Marshallers.Create(message => message.ToByteArray(), StreamingMessage.Parser.ParseFrom));
        using var call = channel.CreateCallInvoker().AsyncDuplexStreamingCall(
            method, null, new CallOptions(deadline: DateTime.UtcNow.AddMinutes(1)));
        await call.RequestStream.WriteAsync(new() { StartStream = new() { WorkerId = workerId } });
        try
        {
            await call.ResponseStream.MoveNext(CancellationToken.None);
            return StatusCode.OK;
        }
        catch (RpcException refusal)
        {
            return refusal.StatusCode;
        }
    }

    private static Task<string> VariableAsync(SampleApp app, string name) =>
        app.Client.GetStringAsync($"api/environment/{name}");
}
