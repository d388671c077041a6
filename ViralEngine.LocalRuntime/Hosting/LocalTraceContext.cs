using System.Diagnostics;
using Microsoft.Azure.Functions.Worker;

namespace ViralEngine.LocalRuntime.Hosting;

/// <summary>The trace that the caller of an invocation runs in.</summary>
internal sealed class LocalTraceContext(Activity? caller) : TraceContext
{
    public override string TraceParent => caller?.Id ?? "";

    public override string TraceState => caller?.TraceStateString ?? "";
}
