using System.Collections.Concurrent;
using System.Threading.Channels;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using ViralEngine.LocalHost.Worker.Protocol;
using RpcException = Grpc.Core.RpcException;

namespace ViralEngine.LocalHost.Worker;

/// <summary>The one worker of this process: the handshake, its functions, and the invocations in flight.</summary>
internal sealed partial class WorkerChannel(WorkerIdentity identity, WorkerLog workerLog, ILogger<WorkerChannel> logger)
{
    private const int MaxCancellations = 40;

    private static readonly TimeSpan CancelAgain = TimeSpan.FromMilliseconds(250);

    private readonly Channel<StreamingMessage> outgoing =
        Channel.CreateUnbounded<StreamingMessage>(new() { SingleReader = true });

    private readonly ConcurrentDictionary<string, TaskCompletionSource<InvocationResponse>> running =
        new(StringComparer.Ordinal);

    // Ids of invocations being cancelled, whose exceptions are not failures.
    private readonly ConcurrentDictionary<string, bool> cancelled = new(StringComparer.Ordinal);

    private readonly TaskCompletionSource<IReadOnlyDictionary<string, WorkerFunction>> ready =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly TaskCompletionSource gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Dictionary<string, WorkerFunction> functions = [];
    private int loading;
    private int connected;

    /// <summary>The worker's functions by name, once all are loaded; faulted when one cannot be.</summary>
    public Task<IReadOnlyDictionary<string, WorkerFunction>> Ready => ready.Task;

    /// <summary>Ends when the worker does.</summary>
    public Task Gone => gone.Task;

    public int InFlight => running.Count;

    /// <summary>Whether all functions were asked to stop, so that their exceptions are not failures.</summary>
    public bool IsStopping { get; private set; }

    /// <summary>Serves the worker until it disconnects. A second worker is rejected.</summary>
    public async Task RunAsync(
        IAsyncStreamReader<StreamingMessage> fromWorker, IServerStreamWriter<StreamingMessage> toWorker,
        CancellationToken ct)
    {
        if (!await fromWorker.MoveNext(ct) || fromWorker.Current.StartStream?.WorkerId != identity.WorkerId)
            throw new RpcException(new(StatusCode.PermissionDenied, "The caller is not this host's worker."));
        if (Interlocked.Exchange(ref connected, 1) == 1)
            throw new RpcException(new(StatusCode.AlreadyExists, "The worker is already connected."));
        var writing = WriteAsync(toWorker, ct);
        try
        {
            Initialize();
            while (await fromWorker.MoveNext(ct)) Handle(fromWorker.Current);
        }
        catch (Exception exception) when (ct.IsCancellationRequested || exception is IOException)
        {
            // The worker has left.
        }
        finally
        {
            outgoing.Writer.TryComplete();
            foreach (var (_, open) in running) open.TrySetCanceled(CancellationToken.None);
            ready.TrySetException(
                new InvalidOperationException("The worker disconnected before its functions were loaded."));
            gone.TrySetResult();
            await Task.WhenAny(writing);
        }
    }

    /// <summary>Sends an invocation and waits for its answer, which may be a failure.</summary>
    /// <param name="request">What to invoke.</param>
    /// <param name="ct">Asks the function to stop; its response is still awaited.</param>
    /// <exception cref="OperationCanceledException">The worker is gone.</exception>
    public async Task<InvocationResponse> InvokeAsync(InvocationRequest request, CancellationToken ct)
    {
        var answered = Send(request);
        await using var registration = CancelWith(request.InvocationId, ct);
        return await answered;
    }

    /// <summary>Cancels an invocation when a token is, until the registration is disposed.</summary>
    public CancellationTokenRegistration CancelWith(string invocationId, CancellationToken ct) => ct.UnsafeRegister(
        static state => (((WorkerChannel, string))state!).Item1.Cancel((((WorkerChannel, string))state!).Item2),
        (this, invocationId));

    /// <summary>Sends an invocation, to be cancelled by its id.</summary>
    public Task<InvocationResponse> Send(InvocationRequest request)
    {
        var done = new TaskCompletionSource<InvocationResponse>(TaskCreationOptions.RunContinuationsAsynchronously);
        running[request.InvocationId] = done;
        if (!outgoing.Writer.TryWrite(new() { InvocationRequest = request })
            && running.TryRemove(request.InvocationId, out _))
            done.TrySetCanceled(CancellationToken.None);
        return done.Task;
    }

    /// <summary>Cancels the token of an invocation's function; of no effect once it has ended.</summary>
    public void Cancel(string invocationId)
    {
        if (running.ContainsKey(invocationId) && cancelled.TryAdd(invocationId, true)) _ = CancelAsync(invocationId);
    }

    // The worker ignores a cancellation that arrives before the invocation has started, so it is repeated until the
    // invocation has ended.
    private async Task CancelAsync(string invocationId)
    {
        for (var times = 0; times < MaxCancellations && running.ContainsKey(invocationId); times++)
        {
            outgoing.Writer.TryWrite(new() { InvocationCancel = new() { InvocationId = invocationId } });
            await Task.Delay(CancelAgain);
        }

        cancelled.TryRemove(invocationId, out _);
    }

    /// <summary>Asks all functions in flight to stop.</summary>
    public void CancelAll()
    {
        IsStopping = true;
        foreach (var id in running.Keys) Cancel(id);
    }

    /// <summary>Asks the worker to end its process in an orderly way.</summary>
    public void Terminate() => outgoing.Writer.TryWrite(new()
    {
        WorkerTerminate =
            new() { GracePeriod = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromSeconds(5)) },
    });

    private void Initialize() => outgoing.Writer.TryWrite(new()
    {
        RequestId = "init",
        WorkerInitRequest = new()
        {
            HostVersion = WorkerIdentity.HostVersion,
            WorkerDirectory = identity.AppDirectory,
            FunctionAppDirectory = identity.AppDirectory,
        },
    });

    private async Task WriteAsync(IServerStreamWriter<StreamingMessage> toWorker, CancellationToken ct)
    {
        var buffered = new WriteOptions(WriteFlags.BufferHint);
        var reader = outgoing.Reader;
        try
        {
            while (await reader.WaitToReadAsync(ct))
            {
                while (reader.TryRead(out var message))
                {
                    // Flush only if no other message follows.
                    toWorker.WriteOptions = reader.TryPeek(out _) ? buffered : null;
                    await toWorker.WriteAsync(message, ct);
                }
            }
        }
        catch (Exception exception)
            when (exception is OperationCanceledException or InvalidOperationException or IOException)
        {
            // The stream has ended: the worker has disconnected.
        }
    }

    private void Handle(StreamingMessage message)
    {
        switch (message.ContentCase)
        {
            case StreamingMessage.ContentOneofCase.InvocationResponse:
                if (running.TryRemove(message.InvocationResponse.InvocationId, out var done))
                    done.TrySetResult(message.InvocationResponse);
                break;
            case StreamingMessage.ContentOneofCase.RpcLog:
                workerLog.Write(message.RpcLog, cancelled.ContainsKey(message.RpcLog.InvocationId));
                break;
            case StreamingMessage.ContentOneofCase.WorkerInitResponse:
                if (Succeeded(message.WorkerInitResponse.Result))
                {
                    outgoing.Writer.TryWrite(new()
                    {
                        RequestId = "metadata",
                        FunctionsMetadataRequest = new() { FunctionAppDirectory = identity.AppDirectory },
                    });
                }

                break;
            case StreamingMessage.ContentOneofCase.FunctionMetadataResponse:
                if (Succeeded(message.FunctionMetadataResponse.Result)) Load(message.FunctionMetadataResponse);
                break;
            case StreamingMessage.ContentOneofCase.FunctionLoadResponse:
                if (Succeeded(message.FunctionLoadResponse.Result) && Interlocked.Decrement(ref loading) == 0)
                {
                    LogLoaded(logger, functions.Count);
                    ready.TrySetResult(functions);
                }

                break;
        }
    }

    private bool Succeeded(StatusResult? result)
    {
        if (result is null or { Status: StatusResult.Types.Status.Success }) return true;
        ready.TrySetException(new InvalidOperationException($"The worker cannot start: {result.Exception?.Message}"));
        return false;
    }

    private void Load(FunctionMetadataResponse response)
    {
        try
        {
            functions = response.FunctionMetadataResults
                .Select(metadata => new WorkerFunction(metadata))
                .ToDictionary(function => function.Name, StringComparer.OrdinalIgnoreCase);
        }
        catch (Exception exception) when (exception is InvalidOperationException or ArgumentException)
        {
            ready.TrySetException(exception);
            return;
        }

        loading = functions.Count;
        foreach (var function in functions.Values)
        {
            outgoing.Writer.TryWrite(new()
            {
                FunctionLoadRequest = new() { FunctionId = function.Id, Metadata = function.Metadata },
            });
        }
    }

    [LoggerMessage(LogLevel.Information, "{Count} functions loaded.")]
    private static partial void LogLoaded(ILogger logger, int count);
}
