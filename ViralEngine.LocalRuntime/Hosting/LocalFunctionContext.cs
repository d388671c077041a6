using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;

namespace ViralEngine.LocalRuntime.Hosting;

/// <summary>One invocation. Whatever it may not need (scope, ids, linked token, features) is made when it is asked
/// for.</summary>
internal sealed class LocalFunctionContext(LoadedFunction function, IServiceProvider root, CancellationToken stopping)
    : FunctionContext, IAsyncDisposable
{
    private readonly Activity? caller = Activity.Current;
    private AsyncServiceScope? scope;
    private IServiceProvider? services;
    private CancellationTokenSource? cancellation;

    public LoadedFunction Function { get; } = function;

    /// <summary>The request that is being answered, whether or not the app's middleware may see it yet.</summary>
    public HttpContext? Request { get; init; }

    /// <summary>What the trigger hands to the function when it is not an HTTP request.</summary>
    public object? TriggerValue { get; init; }

    /// <summary>What cancels this one invocation, besides the app's stop. For a request: the client that leaves.
    /// </summary>
    public CancellationToken Aborted { get => Request?.RequestAborted ?? field; init; }

    public LocalInvocationResult Result { get; } = new();

    public override string InvocationId => field ??= Guid.NewGuid().ToString();

    public override string FunctionId => Function.Id;

    public override FunctionDefinition FunctionDefinition => Function;

    public override TraceContext TraceContext => field ??= new LocalTraceContext(caller);

    public override BindingContext BindingContext => field ??= new LocalBindingContext(Request);

    public override RetryContext RetryContext => LocalRetryContext.Never;

    public override IDictionary<object, object> Items { get => field ??= new Dictionary<object, object>(); set; }

    public override IInvocationFeatures Features => field ??= new InvocationFeatures(Result);

    public override IServiceProvider InstanceServices
    {
        get => services ??= Request?.RequestServices ?? (scope ??= root.CreateAsyncScope()).ServiceProvider;
        set => services = value;
    }

    public override CancellationToken CancellationToken =>
        (cancellation ??= CancellationTokenSource.CreateLinkedTokenSource(Aborted, stopping)).Token;

    public bool TryGetBindingText(string name, out string text)
    {
        text = "";
        return Request is not null && LocalBindingContext.TryGetText(Request, name, out text);
    }

    public async ValueTask DisposeAsync()
    {
        cancellation?.Dispose();
        if (scope is { } own)
            await own.DisposeAsync();
    }
}
