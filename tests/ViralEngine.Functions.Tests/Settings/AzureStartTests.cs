using Microsoft.Extensions.Configuration;

namespace ViralEngine.Functions.Tests.Settings;

/// <summary>On Azure the app does not start with what would make it run wrongly; elsewhere it may.</summary>
public sealed class AzureStartTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("package").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Refuses_a_shared_key_for_JWTs_on_Azure()
    {
        var refused = Assert.Throws<InvalidOperationException>(() =>
            Check(
                ("WEBSITE_SITE_NAME", "func-viral"),
                ("Auth:JwtSharedKey", "0123456789012345678901234567890123456789")));

        Assert.Contains("Auth:JwtSharedKey", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Auth:Authority", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("0123456789", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Takes_a_shared_key_on_a_machine_of_a_developer() =>
        Check(("Auth:JwtSharedKey", "0123456789012345678901234567890123456789"));

    [Theory]
    [InlineData(false, "azureManaged")]
    [InlineData(true, "AzureStorage")]
    [InlineData(true, null)]
    public void Refuses_a_package_that_was_built_for_another_store_of_orchestrations(bool scheduler, string? type)
    {
        Build(scheduler);

        var refused = Assert.Throws<InvalidOperationException>(() => Check(OnAzure(type)));

        Assert.Contains("VIRAL_DURABLE_STORAGE", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, null)]
    [InlineData(false, "AzureStorage")]
    [InlineData(true, "azureManaged")]
    public void Starts_with_the_store_of_orchestrations_that_it_was_built_for(bool scheduler, string? type)
    {
        Build(scheduler);

        Check(OnAzure(type));
    }

    private static (string, string?)[] OnAzure(string? type) =>
    [
        ("WEBSITE_SITE_NAME", "func-viral"),
        ("AzureFunctionsJobHost:extensions:durableTask:storageProvider:type", type),
    ];

    private void Build(bool scheduler)
    {
        if (scheduler)
            File.WriteAllText(
                Path.Combine(folder, "Microsoft.Azure.Functions.Worker.Extensions.DurableTask.AzureManaged.dll"), "");
    }

    private void Check(params (string Name, string? Value)[] settings) => AzureStart.Check(
        new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, setting.Value)))
            .Build(),
        folder);
}
