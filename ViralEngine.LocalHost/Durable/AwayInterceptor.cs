using Grpc.Core;
using Grpc.Core.Interceptors;
using Npgsql;

namespace ViralEngine.LocalHost.Durable;

/// <summary>
/// Reports a temporarily unreachable database as UNAVAILABLE, so that callers retry, and does not log it as an error of
/// the call.
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
