using Grpc.Core;
using Grpc.Core.Interceptors;
using Npgsql;

namespace ViralEngine.LocalHost.Durable;

/// <summary>
/// A database that is away for the moment is UNAVAILABLE to who calls, who may call again; it is not a fault of the call, and
/// is not logged as one.
/// </summary>
internal sealed class AwayInterceptor : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(request, context);
        }
        catch (NpgsqlException away) when (away.IsTransient)
        {
            throw new RpcException(new(StatusCode.Unavailable, "The orchestration store cannot be reached.", away));
        }
    }
}
