using System.Runtime.Loader;
using ViralEngine.LocalHost.Hosting;

/// <summary>
/// Runs before the app's <c>Main</c>, in its process, where <c>DOTNET_STARTUP_HOOKS</c> names this assembly. The
/// runtime finds it by this name, outside any namespace:
/// https://github.com/dotnet/runtime/blob/main/docs/design/features/host-startup-hook.md
/// </summary>
internal static class StartupHook
{
    public static void Initialize()
    {
        // The app does not reference the host, so the host's dependencies are loaded from its own folder.
        var beside = Path.GetDirectoryName(typeof(StartupHook).Assembly.Location)!;
        AssemblyLoadContext.Default.Resolving += (context, name) =>
            Path.Combine(beside, name.Name + ".dll") is var path && File.Exists(path)
                ? context.LoadFromAssemblyPath(path)
                : null;
        HostProcess.Start();
    }
}
