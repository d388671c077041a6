using System.Security.Cryptography;

namespace ViralEngine.LocalHost.Worker;

/// <summary>The identity that this host expects of its worker, passed through the environment.</summary>
/// <param name="AppDirectory">The app's folder, with its host.json.</param>
internal sealed record WorkerIdentity(string AppDirectory)
{
    /// <summary>The version of the Functions host that this host reports.</summary>
    public const string HostVersion = "4.1045.0";

    /// <summary>A secret of this process, so that no other process can pose as its worker.</summary>
    public string WorkerId { get; } = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    /// <summary>The settings by which the worker finds its host.</summary>
    /// <param name="endpoint">Where the host's gRPC server listens.</param>
    public IEnumerable<KeyValuePair<string, string>> Environment(Uri endpoint) =>
    [
        new("FUNCTIONS_APPLICATION_DIRECTORY", AppDirectory),
        new("FUNCTIONS_WORKER_DIRECTORY", AppDirectory),
        new("FUNCTIONS_WORKER_RUNTIME", "dotnet-isolated"),
        new("Functions__Worker__HostEndpoint", endpoint.ToString()),
        new("Functions__Worker__WorkerId", WorkerId),
        new("Functions__Worker__RequestId", WorkerId),
        new("Functions__Worker__GrpcMaxMessageLength", $"{int.MaxValue}"),
    ];
}
