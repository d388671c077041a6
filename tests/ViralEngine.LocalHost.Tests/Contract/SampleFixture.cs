using ViralEngine.LocalHost.Tests.Hosting;

namespace ViralEngine.LocalHost.Tests.Contract;

/// <summary>One running sample for the tests of a class.</summary>
public sealed class SampleFixture : IAsyncLifetime
{
    private ScratchDatabase database = null!;

    internal SampleApp App { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        database = await ScratchDatabase.CreateAsync();
        App = await SampleApp.StartAsync(database);
    }

    public async Task DisposeAsync()
    {
        await App.DisposeAsync();
        await database.DisposeAsync();
    }
}
