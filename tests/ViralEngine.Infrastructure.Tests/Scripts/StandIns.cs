using System.Diagnostics;
using System.Text.RegularExpressions;

namespace ViralEngine.Infrastructure.Tests.Scripts;

/// <summary>
/// A machine on which az, azd, curl, dotnet, psql and npm are stand-ins that note how they are called. Everything else
/// the scripts use (bash, zip, openssl, python3, …) is real.
/// </summary>
internal sealed partial class StandIns : IDisposable
{
    private const string Subscription = "00000000-0000-0000-0000-0000000000cc";

    private const string SignedIn = "00000000-0000-0000-0000-0000000000aa olga@example.com";

    /// <summary>The checkout.</summary>
    public static string Root { get; } = Path.GetFullPath(Path.Combine(BicepCompiler.Templates, "../.."));

    private static readonly string Source = Path.Combine(
        Root, "tests/ViralEngine.Infrastructure.Tests/Scripts/standin.sh");

    private readonly string folder = Directory.CreateTempSubdirectory("stand-ins").FullName;

    public StandIns(string size, string durableStorage = "AzureStorage")
    {
        Directory.CreateDirectory(Path.Combine(folder, "bin"));
        foreach (var tool in (string[])["az", "azd", "curl", "dotnet", "psql", "npm"])
            File.CreateSymbolicLink(Path.Combine(folder, "bin", tool), Source);
        Write("calls", "");
        Write("azd.env", $"""
            AZURE_ENV_NAME={size}
            AZURE_LOCATION=westeurope
            AZURE_SUBSCRIPTION_ID={Subscription}
            VIRAL_SIZE={size}
            VIRAL_DURABLE_STORAGE={durableStorage}

            """);
        Write("outputs", Outputs(size));
        Write("answers", string.Join('\n', Answers.Select(answer => $"{answer.Pattern}\t{answer.Answer}")) + "\n");
    }

    /// <summary>Every call so far, with what differs from run to run replaced.</summary>
    public IReadOnlyList<string> Calls => [.. File.ReadAllLines(Path.Combine(folder, "calls")).Select(Steady)];

    /// <summary>What azd remembers by now.</summary>
    public IReadOnlyDictionary<string, string> Remembered => File.ReadAllLines(Path.Combine(folder, "azd.env"))
        .Select(line => line.Split('=', 2))
        .GroupBy(pair => pair[0], pair => pair[1])
        .ToDictionary(values => values.Key, values => values.Last());

    /// <summary>Answers a call before anything else does.</summary>
    public void Answer(string pattern, string answer) =>
        Write("answers", $"{pattern}\t{answer}\n" + File.ReadAllText(Path.Combine(folder, "answers")));

    /// <summary>Puts a program of the test's own in the place of another.</summary>
    public void Replace(string tool, string script)
    {
        var path = Path.Combine(folder, "bin", tool);
        File.Delete(path);
        File.WriteAllText(path, script);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>Runs a command as a hook of azd does: what azd remembers is in its environment.</summary>
    /// <param name="failsAt">Number of the call, counted from the first ever made here, that fails; 0 for none.</param>
    public async Task<Ran> RunAsync(string command, int failsAt = 0, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("bash", ["-c", command])
        {
            WorkingDirectory = Root,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(IsOurs).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in Remembered)
            start.Environment[name] = value;
        start.Environment["PATH"] = $"{folder}/bin:{start.Environment["PATH"]}";
        start.Environment["STANDIN"] = folder;
        start.Environment["STANDIN_FAILS_AT"] = $"{failsAt}";
        start.Environment["VIRAL_POLL_SECONDS"] = "0.01";
        start.Environment["TMPDIR"] = Directory.CreateDirectory(Path.Combine(folder, "tmp")).FullName;
        foreach (var (name, value) in environment)
            start.Environment[name] = value;

        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var complaints = process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return new Ran(process.ExitCode, await output, await complaints);
    }

    /// <summary>Files that scripts left where they may leave none.</summary>
    public IEnumerable<string> LeftBehind => Directory.EnumerateFileSystemEntries(Path.Combine(folder, "tmp"));

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(folder, name), text);

    private static bool IsOurs(string name) =>
        name.StartsWith("VIRAL_", StringComparison.Ordinal) || name.StartsWith("AZURE_", StringComparison.Ordinal)
        || name.StartsWith("PG", StringComparison.Ordinal);

    private static string Steady(string call)
    {
        call = TemporaryPath().Replace(call, "TEMPORARY");
        call = PlatformKey().Replace(call, "<48 hex digits>");
        call = RingKey().Replace(call, "k<date>:<32 random bytes>");
        call = FirstOfMonth().Replace(call, "VIRAL_BUDGET_START <first of this month>");
        call = Expiry().Replace(call, "VIRAL_SECRETS_EXPIRE_AT <in a year>");
        return Commit().Replace(call, "ContainerImageTag=<commit>");
    }

    // What provisioning tells azd, as far as the scripts read it.
    private static string Outputs(string size) => $"""
        AZURE_RESOURCE_GROUP=rg-viral-{size}
        VIRAL_APP_NAME=func-viral-{size}-abcde
        VIRAL_URL=https://func-viral-{size}-abcde.azurewebsites.net
        VIRAL_DURABLE_STORAGE=AzureStorage
        VIRAL_TASK_HUB=viral{size}
        VIRAL_POSTGRES_SERVER=psql-viral-{size}-abcde
        VIRAL_POSTGRES_HOST=psql-viral-{size}-abcde.postgres.database.azure.com
        VIRAL_POSTGRES_DATABASE=viral
        VIRAL_MIGRATION_IDENTITY=id-viral-{size}-abcde-migration
        VIRAL_APP_IDENTITY=id-viral-{size}-abcde-app
        VIRAL_APP_PRINCIPAL_ID=00000000-0000-0000-0000-0000000000bb
        VIRAL_REGISTRY={(size == "prod" ? "crviralabcde" : "")}
        VIRAL_MIGRATION_SUBNET={(size == "prod" ? "/subscriptions/s/snet-migration" : "")}

        """;

    private static readonly (string Pattern, string Answer)[] Answers =
    [
        ("dotnet --list-sdks", "10.0.401 [/usr/share/dotnet/sdk]"),
        ("az version *", "2.90.0"),
        ("az account show *", Subscription),
        ("az provider list *", string.Join("\\n", (string[])
        [
            "Microsoft.App", "Microsoft.Web", "Microsoft.Storage", "Microsoft.KeyVault", "Microsoft.ManagedIdentity",
            "Microsoft.Network", "Microsoft.DBforPostgreSQL", "Microsoft.OperationalInsights", "microsoft.insights",
            "Microsoft.EventGrid", "Microsoft.Consumption", "Microsoft.Cache", "Microsoft.ContainerRegistry",
            "Microsoft.ContainerInstance", "Microsoft.DurableTask",
        ])),
        ("az functionapp list-flexconsumption-locations *", "northeurope\\nwesteurope"),
        ("az functionapp list-flexconsumption-runtimes *", "10.0\\n8.0"),
        ("az postgres flexible-server list-skus *",
            """[{"name": "Standard_B1ms"}, {"name": "Standard_D2ds_v5"}, {"name": "Standard_D4ds_v5"}]"""),
        ("az provider show *", "West Europe\\nNorth Europe"),
        ("az ad signed-in-user show *", SignedIn),
        ("az account get-access-token *", "a-token-for-postgres"),
        ("az acr login *", "a-token-for-the-registry"),
        ("az acr show *", "crviralabcde.azurecr.io"),
        ("az container show *", "Terminated 0"),
        ("psql *", "1"),
        ("curl *api.ipify.org", "203.0.113.7"),
        ("curl *POST*/api/organizations *", """{"id": "org-1", "api_key": {"key": "a-key-of-the-organization"}}"""),
        ("curl *POST*/api/tasks *", """{"id": "task-1"}"""),
        ("curl *GET*/api/tasks/task-1 *", """{"status": "completed"}"""),
    ];

    [GeneratedRegex(@"\S*/stand-ins\w+/tmp/[\w./]+")]
    private static partial Regex TemporaryPath();

    [GeneratedRegex("(?<=VIRAL_PLATFORM_KEY )[0-9a-f]{48}$")]
    private static partial Regex PlatformKey();

    [GeneratedRegex("(?<=VIRAL_SECRETS_KEY )k[0-9]{8}:[A-Za-z0-9+/]{43}=$")]
    private static partial Regex RingKey();

    [GeneratedRegex("VIRAL_BUDGET_START [0-9]{4}-[0-9]{2}-01$")]
    private static partial Regex FirstOfMonth();

    [GeneratedRegex("VIRAL_SECRETS_EXPIRE_AT [0-9]{10}$")]
    private static partial Regex Expiry();

    [GeneratedRegex("ContainerImageTag=[0-9a-f]{12}")]
    private static partial Regex Commit();

    /// <summary>What a command left behind.</summary>
    internal sealed record Ran(int ExitCode, string Output, string Complaints)
    {
        public override string ToString() => $"exit {ExitCode}\n{Output}\n{Complaints}";
    }
}
