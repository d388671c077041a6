using Grpc.Core;
using ViralEngine.LocalHost.Worker.Protocol;

namespace ViralEngine.LocalHost.Worker;

/// <summary>The service that a language worker connects to.</summary>
internal sealed class FunctionRpcService(WorkerChannel channel) : FunctionRpc.FunctionRpcBase
{
    public override Task EventStream(
        IAsyncStreamReader<StreamingMessage> requestStream,
        IServerStreamWriter<StreamingMessage> responseStream,
        ServerCallContext context) => channel.RunAsync(requestStream, responseStream, context.CancellationToken);
}
