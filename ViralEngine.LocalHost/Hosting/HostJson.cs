using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace ViralEngine.LocalHost.Hosting;

/// <summary>The settings of the app's host.json that this host uses, and those it ignores.</summary>
internal sealed class HostJson
{
    private const string Durable = "extensions:durableTask:";

    // Used, or irrelevant on one machine: the Functions host's storage, telemetry and scaling.
    private static readonly string[] Known =
    [
        "version", "logging", "extensions:http:routePrefix", "extensions:http:maxConcurrentRequests",
        "extensions:http:maxOutstandingRequests", Durable + "maxConcurrentActivityFunctions",
        Durable + "maxConcurrentOrchestratorFunctions", Durable + "hubName", Durable + "storageProvider",
        Durable + "tracing", Durable + "useGracefulShutdown", "telemetryMode", "extensionBundle", "concurrency",
    ];

    private readonly IConfiguration settings;

    private HostJson(IConfiguration settings)
    {
        this.settings = settings;
        RoutePrefix = settings["extensions:http:routePrefix"]?.Trim('/') ?? "api";
        MaxConcurrentRequests = Number("extensions:http:maxConcurrentRequests");
        MaxOutstandingRequests = Number("extensions:http:maxOutstandingRequests");
    }

    /// <summary>The prefix of every route; empty for none.</summary>
    public string RoutePrefix { get; }

    /// <summary>Concurrent requests; null for no limit.</summary>
    public int? MaxConcurrentRequests { get; }

    /// <summary>Concurrent and waiting requests; beyond it, requests get 429.</summary>
    public int? MaxOutstandingRequests { get; }

    /// <summary>Its values for settings of this host.</summary>
    public IEnumerable<KeyValuePair<string, string?>> Settings =>
    [
        .. Section("logging:logLevel").Select(each => KeyValuePair.Create("Logging:LogLevel:" + each.Key, each.Value)),
        .. From(Durable + "maxConcurrentActivityFunctions", "LocalHost:Durable:MaxConcurrentActivities"),
        .. From(Durable + "maxConcurrentOrchestratorFunctions", "LocalHost:Durable:MaxConcurrentOrchestrations"),
    ];

    /// <summary>The settings that have no effect here.</summary>
    public IEnumerable<string> Ignored
    {
        get
        {
            foreach (var leaf in settings.AsEnumerable().Where(each => each.Value is not null).OrderBy(
                each => each.Key))
            {
                if (Known.Any(known => leaf.Key.Equals(known, StringComparison.OrdinalIgnoreCase)
                    || leaf.Key.StartsWith(known + ":", StringComparison.OrdinalIgnoreCase)))
                    continue;
                if (IsHarmless(leaf.Key, leaf.Value!)) continue;
                yield return leaf.Key.Replace(':', '.');
            }
        }
    }

    /// <exception cref="InvalidOperationException">A value that the Functions host would reject.</exception>
    public static HostJson Read(string folder)
    {
        var settings = new ConfigurationBuilder().SetBasePath(folder).AddJsonFile("host.json", optional: true).Build();
        CheckVisibility(settings, "controlQueueVisibilityTimeout");
        CheckVisibility(settings, "workItemQueueVisibilityTimeout");
        return new(settings);
    }

    private static bool IsHarmless(string key, string value) => key.ToUpperInvariant() switch
    {
        // Values that mean no time limit, which is what this host does.
        "FUNCTIONTIMEOUT" => value is "-1",
        "EXTENSIONS:HTTP:DYNAMICTHROTTLESENABLED" or "EXTENSIONS:DURABLETASK:EXTENDEDSESSIONSENABLED" =>
            bool.TryParse(value, out var on) && !on,
        _ => false,
    };

    // Values that the Functions host's orchestration storage rejects are rejected here too.
    private static void CheckVisibility(IConfigurationRoot settings, string name)
    {
        var (least, most) = name == "controlQueueVisibilityTimeout"
            ? (TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(60))
            : (TimeSpan.FromSeconds(1), TimeSpan.FromDays(7));
        var text = settings[$"{Durable}storageProvider:{name}"];
        if (text is null) return;
        if (!TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var value) || value < least || value > most)
        {
            throw new InvalidOperationException(
                $"host.json: extensions.durableTask.storageProvider.{name} is '{text}'. "
                + $"It must be a time span from {least} to {most}.");
        }
    }

    private int? Number(string key)
    {
        if (settings[key] is not { } text) return null;
        if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            || number is < -1 or 0)
            throw new InvalidOperationException(
                $"host.json: {key.Replace(':', '.')} is '{text}'. It must be a positive number, or -1 for no limit.");
        return number == -1 ? null : number;
    }

    private IEnumerable<KeyValuePair<string, string?>> Section(string key) =>
        settings.GetSection(key).AsEnumerable(makePathsRelative: true).Where(each => each.Value is not null);

    private IEnumerable<KeyValuePair<string, string?>> From(string key, string name) =>
        settings[key] is { } value ? [KeyValuePair.Create<string, string?>(name, value)] : [];
}
