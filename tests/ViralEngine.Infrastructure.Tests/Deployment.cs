using System.Text.Json.Nodes;

namespace ViralEngine.Infrastructure.Tests;

/// <summary>
/// What one environment would deploy, as the compiler's snapshot predicts it: every resource with its parameters,
/// conditions and loops worked out. What only Azure knows stays an expression in brackets.
/// </summary>
internal sealed class Deployment(JsonObject snapshot, JsonObject template)
{
    /// <summary>Every resource, whichever module it comes from.</summary>
    public IReadOnlyList<JsonObject> Resources =>
        [.. snapshot["predictedResources"]!.AsArray().Select(r => r!.AsObject())];

    /// <summary>The compiled template, with its modules nested inside.</summary>
    public JsonObject Template => template;

    /// <summary>The resources of one type.</summary>
    public IEnumerable<JsonObject> OfType(string type) => Resources.Where(resource => resource.Type() == type);

    /// <summary>A copy that a test may break.</summary>
    public Deployment Copy() => new(snapshot.DeepClone().AsObject(), template.DeepClone().AsObject());

    /// <summary>Adds a resource.</summary>
    public void Add(JsonObject resource) => snapshot["predictedResources"]!.AsArray().Add((JsonNode)resource);

    /// <summary>Takes a resource away.</summary>
    public void Remove(JsonObject resource) => snapshot["predictedResources"]!.AsArray().Remove(resource);

    /// <summary>Compiles the parameter file with the environment that it reads.</summary>
    public static async Task<Deployment> CompileAsync(
        IReadOnlyDictionary<string, string> environment, CancellationToken ct)
    {
        const string ParameterFile = "main.bicepparam";
        // The snapshot is written beside the parameter file, and the templates' folder stays clean.
        var folder = Directory.CreateTempSubdirectory("bicep").FullName;
        try
        {
            CopyTo(folder);
            var printed = await BicepCompiler.RunAsync(
                folder,
                environment,
                ct,
                "snapshot", ParameterFile, "--mode", "overwrite", "--location", "westeurope",
                "--subscription-id", "11111111-1111-1111-1111-111111111111",
                "--tenant-id", "22222222-2222-2222-2222-222222222222");
            Assert.True(printed.ExitCode == 0, printed.Complaints);
            // Else whole modules are missing from what is looked at.
            Assert.DoesNotContain("NestedDeploymentShortCircuited", printed.Output, StringComparison.Ordinal);
            var compiled = await BicepCompiler.RunAsync(folder, environment, ct, "build", "main.bicep", "--stdout");
            Assert.True(compiled.ExitCode == 0, compiled.Complaints);

            var snapshot = Path.Combine(folder, Path.ChangeExtension(ParameterFile, ".snapshot.json"));
            return new Deployment(
                JsonNode.Parse(await File.ReadAllTextAsync(snapshot, ct))!.AsObject(),
                JsonNode.Parse(compiled.Output)!.AsObject());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void CopyTo(string folder)
    {
        foreach (var file in BicepCompiler.Files.Append("bicepconfig.json"))
        {
            var target = Path.Combine(folder, file);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(Path.Combine(BicepCompiler.Templates, file), target);
        }
    }
}
