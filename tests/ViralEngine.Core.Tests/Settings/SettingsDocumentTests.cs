using System.Reflection;
using ViralEngine.Core.Limits;
using ViralEngine.Core.Tasks;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Settings;

/// <summary>docs/configuration.md knows every setting.</summary>
public sealed class SettingsDocumentTests
{
    public static TheoryData<string> Settings => [.. typeof(LimitsOptions).Assembly.GetExportedTypes()
        .Where(type => type.Name.EndsWith("Options", StringComparison.Ordinal) && type != typeof(PlansOptions)
            // Only tests have others than these.
            && type != typeof(TaskLeaseOptions))
        .SelectMany(Of)];

    [Theory]
    [MemberData(nameof(Settings))]
    public void Is_in_the_document(string setting)
    {
        var document = File.ReadAllText(Path.Combine(Repository.Root, "docs/configuration.md"));

        Assert.Contains($"`{setting}", document);
    }

    private static IEnumerable<string> Of(Type options)
    {
        var section = options.GetField("Section")?.GetValue(null) as string ?? options.Name[..^"Options".Length];
        foreach (var property in Writable(options))
        {
            // One plan's settings stand for every plan's.
            if (property.PropertyType == typeof(PlansOptions))
            {
                foreach (var limit in Writable(typeof(PlanLimits)))
                    yield return $"{section}__Plans__Free__{limit.Name}";
            }
            else
            {
                // The identity's id has the name that Azure gives it.
                yield return (section, property.Name) == ("Azure", "ClientId")
                    ? "AZURE_CLIENT_ID"
                    : $"{section}__{property.Name}";
            }
        }
    }

    private static IEnumerable<PropertyInfo> Writable(Type options) =>
        options.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite);
}
