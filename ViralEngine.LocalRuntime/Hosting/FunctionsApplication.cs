using System.Reflection;
using System.Runtime.CompilerServices;
using ViralEngine.LocalRuntime.Hosting;

namespace Microsoft.Azure.Functions.Worker.Builder;

/// <summary>Where a functions app begins.</summary>
public class FunctionsApplication
{
    /// <summary>Starts building the app whose functions are in the calling assembly and in the one that was started.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static FunctionsApplicationBuilder CreateBuilder(string[] args)
    {
        ArgumentNullException.ThrowIfNull(args);
        FunctionsHostGuard.ExitWhenStartedByHost(args);
        var caller = Assembly.GetCallingAssembly();
        var assemblies = new[] { caller, Assembly.GetEntryAssembly() ?? caller }.Distinct();
        return new FunctionsApplicationBuilder(
            args, AppContext.BaseDirectory, assemblies.SelectMany(assembly => assembly.GetTypes()));
    }
}
