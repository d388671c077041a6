using Xunit;

namespace ViralEngine.Testing;

/// <summary>Several instances of the app on one database, for tests of what must hold on any of them.</summary>
public sealed class AppCluster : IAsyncDisposable
{
    private readonly List<AppProcess> instances = [];
    private int turn;

    private AppCluster()
    {
    }

    public IReadOnlyList<AppProcess> Instances => instances;

    public AppProcess this[int index] => instances[index];

    public static async Task<AppCluster> StartAsync(AppSettings settings, int count)
    {
        var cluster = new AppCluster();
        try
        {
            for (var i = 0; i < count; i++)
                cluster.instances.Add(await AppProcess.StartAsync(settings));
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }

        return cluster;
    }

    /// <summary>The instances in turn, as a load balancer would choose them.</summary>
    public AppProcess Next() => instances[(int)((uint)Interlocked.Increment(ref turn) % (uint)instances.Count)];

    public async ValueTask DisposeAsync()
    {
        foreach (var instance in instances)
            await instance.DisposeAsync();
    }
}

/// <summary>One database and one instance, shared by the tests of a class: its fixture.</summary>
public class RunningApp : IAsyncLifetime
{
    public TestPostgres Postgres { get; } = new();

    public AppProcess App { get; private set; } = null!;

    protected virtual AppSettings Settings => new(Postgres);

    public async Task InitializeAsync()
    {
        await Postgres.InitializeAsync();
        App = await AppProcess.StartAsync(Settings);
    }

    public async Task DisposeAsync()
    {
        if (App is not null)
            await App.DisposeAsync();
        await Postgres.DisposeAsync();
    }
}
