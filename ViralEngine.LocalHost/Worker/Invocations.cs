using System.Text.Json;
using Microsoft.AspNetCore.Http;
using ViralEngine.LocalHost.Durable;
using ViralEngine.LocalHost.Worker.Protocol;

namespace ViralEngine.LocalHost.Worker;

/// <summary>Creates the invocations of each kind of trigger.</summary>
internal sealed class Invocations(HostEndpoint endpoint, ClientKey key)
{
    private static readonly TypedData NoBody = new() { Http = new() };
    private static long last;

    // Tells the worker's Durable extension where its client calls. The time-out is itself JSON.
    private readonly Lazy<TypedData> durableClient = new(() => new()
    {
        String = JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["rpcBaseUrl"] = endpoint.Address.ToString(),
            ["taskHubName"] = key.Value,
            ["connectionName"] = "",
            ["requiredQueryStringParameters"] = "",
            ["httpBaseUrl"] = "",
            ["maxGrpcMessageSizeInBytes"] = int.MaxValue,
            ["grpcHttpClientTimeout"] = "\"00:05:00\"",
        }),
    });

    /// <summary>Unique in this process, whose one worker is the only reader.</summary>
    public static string NewId() =>
        new Guid(Environment.ProcessId, 0, 0, BitConverter.GetBytes(Interlocked.Increment(ref last))).ToString();

    /// <summary>
    /// A request's invocation. The request itself reaches the worker directly; the two meet by the id.
    /// </summary>
    public InvocationRequest Http(WorkerFunction function, string id, HttpContext http)
    {
        var request = New(function, id, NoBody);
        foreach (var (name, value) in http.Request.Query)
            request.TriggerMetadata[name] = new() { String = value.ToString() };
        foreach (var (name, value) in http.Request.RouteValues)
            if (value?.ToString() is { } text) request.TriggerMetadata[name] = new() { String = text };
        if (System.Diagnostics.Activity.Current
            is { IdFormat: System.Diagnostics.ActivityIdFormat.W3C, Id: { } parent })
            request.TraceContext = new() { TraceParent = parent };
        return request;
    }

    public InvocationRequest Timer(WorkerFunction function, string json) =>
        New(function, NewId(), new() { Json = json });

    public InvocationRequest Orchestrator(WorkerFunction function, string encoded) =>
        New(function, NewId(), new() { String = encoded });

    public InvocationRequest Activity(WorkerFunction function, ActivityWork work)
    {
        var input = new TypedData();
        if (work.Input is { } json) input.String = json;
        var request = New(function, NewId(), input);
        request.TriggerMetadata["instanceId"] = new() { String = work.InstanceId };
        if (work.TraceParent is { } parent) request.TraceContext = new() { TraceParent = parent };
        return request;
    }

    private InvocationRequest New(WorkerFunction function, string id, TypedData trigger)
    {
        var request = new InvocationRequest { FunctionId = function.Id, InvocationId = id, TraceContext = new() };
        request.InputData.Add(new ParameterBinding { Name = function.TriggerName, Data = trigger });
        foreach (var name in function.DurableClients)
            request.InputData.Add(new ParameterBinding { Name = name, Data = durableClient.Value });
        return request;
    }
}
