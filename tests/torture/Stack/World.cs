using Npgsql;
using ViralEngine.Testing;
using ViralEngine.Torture.Outside;

namespace ViralEngine.Torture.Stack;

/// <summary>
/// Three instances, a database with a standby, Redis, a provider of models and a receiver of webhooks.
/// </summary>
internal sealed class World : IAsyncDisposable
{
    private readonly List<Disk> disks = [];
    private readonly List<PostgresServer> servers = [];

    private readonly Lazy<Task> ending;

    private World(RedisProcess redis, Provider provider, Receiver receiver)
    {
        (Redis, Provider, Receiver) = (redis, provider, receiver);
        ending = new Lazy<Task>(EndAsync);
    }

    public RedisProcess Redis { get; }

    public Provider Provider { get; }

    public Receiver Receiver { get; }

    public IReadOnlyList<Instance> Instances { get; private set; } = [];

    /// <summary>What the app says that it answers.</summary>
    public DocumentedApi Documented { get; private set; } = null!;

    /// <summary>Which server is the database at this moment.</summary>
    public PostgresServer Database { get; private set; } = null!;

    /// <summary>The disk of <see cref="Database"/>.</summary>
    public Disk Disk { get; private set; } = null!;

    public static async Task<World> StartAsync(int seed, Timeline timeline)
    {
        var redis = await RedisProcess.StartAsync();
        var world = new World(redis, await Provider.StartAsync(seed, timeline), await Receiver.StartAsync(seed));
        try
        {
            await world.BuildAsync();
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }

        return world;
    }

    private async Task BuildAsync()
    {
        (Database, Disk) = await NewServerAsync(disk => PostgresServer.StartAsync(disk.Folder));
        // Segments are kept for a standby that comes back, and the disk in memory is not to be filled by them.
        await Database.ExecuteAsync("postgres", "ALTER SYSTEM SET wal_keep_size = '256MB'");
        await Database.ExecuteAsync("postgres", "ALTER SYSTEM SET max_wal_size = '512MB'");
        await Database.ExecuteAsync("postgres", "SELECT pg_reload_conf()");
        (standby, standbyDisk) = await NewServerAsync(disk => Database.StartStandbyAsync(disk.Folder));
        Instances = [.. Enumerable.Range(1, 3).Select(number => new Instance(number, Database.Port, Redis))];
        Provider.Watch(Instances);
        foreach (var instance in Instances)
            await instance.StartAsync();
        Documented = await DocumentedApi.AtAsync(Instances[0].App.Address);
    }

    private PostgresServer standby = null!;
    private Disk standbyDisk = null!;

    /// <summary>
    /// The database is lost for good, and its standby takes its place. Gives what is left to do when things are calm.
    /// </summary>
    public async Task FailOverAsync()
    {
        var (lost, lostDisk) = (Database, Disk);
        await lost.CrashAsync();
        await standby.PromoteAsync();
        (Database, Disk) = (standby, standbyDisk);
        foreach (var instance in Instances)
            instance.Postgres.PointTo(Database.Port);
        await lost.DisposeAsync();
        servers.Remove(lost);
        lostDisk.Dispose();
        disks.Remove(lostDisk);
        (standby, standbyDisk) = await NewServerAsync(disk => Database.StartStandbyAsync(disk.Folder));
    }

    /// <summary>Starts the database again if it does not run, as after a full disk.</summary>
    public async Task<bool> ReviveDatabaseAsync()
    {
        if (await AnswersAsync())
            return false;
        try
        {
            await Database.CrashAsync();
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }

        await Database.RestartAsync();
        return true;
    }

    /// <summary>A superuser's connection to the database. Dispose it.</summary>
    public async Task<NpgsqlConnection> OpenAsync(int patience = 15)
    {
        var connection = new NpgsqlConnection($"{Database.AdminConnection};Command Timeout=300;Timeout={patience}");
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>Once, also where a signal and the run's own end ask for it.</summary>
    public ValueTask DisposeAsync() => new(ending.Value);

    private async Task EndAsync()
    {
        foreach (var instance in Instances)
            await instance.DisposeAsync();
        await Provider.DisposeAsync();
        await Receiver.DisposeAsync();
        await Redis.DisposeAsync();
        foreach (var server in servers)
            await server.DisposeAsync();
        foreach (var disk in disks)
            disk.Dispose();
    }

    private async Task<(PostgresServer Server, Disk Disk)> NewServerAsync(Func<Disk, Task<PostgresServer>> startAsync)
    {
        var disk = Disk.Create();
        disks.Add(disk);
        var server = await startAsync(disk);
        servers.Add(server);
        return (server, disk);
    }

    private async Task<bool> AnswersAsync()
    {
        for (var i = 0; i < 20; i++)
        {
            try
            {
                await using var connection = await OpenAsync();
                return true;
            }
            catch (NpgsqlException)
            {
                await Task.Delay(250);
            }
        }

        return false;
    }
}
