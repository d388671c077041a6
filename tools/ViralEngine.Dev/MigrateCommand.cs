using Npgsql;
using ViralEngine.Core.Storage;
using ViralEngine.LocalHost.Durable;

namespace ViralEngine.Dev;

/// <summary>
/// Brings the database that VIRAL_CONNECTION names up to date, as its owner. With the name of the app's login it also
/// lets that login in, and installs what orchestrations need where Azure does not run them.
/// </summary>
internal static class MigrateCommand
{
    public static async Task<int> RunAsync(CommandOptions options, CancellationToken ct)
    {
        var owner = CommandOptions.RequireSecret("VIRAL_CONNECTION");
        var app = Environment.GetEnvironmentVariable("VIRAL_APP_CONNECTION");
        var login = options.Get("app-login", new NpgsqlConnectionStringBuilder(app).Username ?? "");
        try
        {
            foreach (var script in await Migrator.MigrateAsync(owner, ct))
                Console.Error.WriteLine($"migrated {script}");
            if (login.Length > 0)
            {
                if (await LocalDurableSchema.InstallAsync(owner, login, ct) is var abandoned and > 0)
                {
                    Console.Error.WriteLine(
                        $"abandoned {abandoned} orchestrations of an earlier version; "
                        + "their tasks, batches and workflows restart");
                }

                await LetInAsync(owner, login, ct);
            }

            return 0;
        }
        catch (Exception fault) when (fault is MigrationException or NpgsqlException or InvalidOperationException)
        {
            Console.Error.WriteLine($"dev: {fault.Message}");
            return 1;
        }
    }

    /// <summary>
    /// The app takes one of the two roles in each transaction, so its login must be a member of both.
    /// </summary>
    private static async Task LetInAsync(string owner, string login, CancellationToken ct)
    {
        await using var dataSource = NpgsqlDataSource.Create(owner);
        await using var ask = dataSource.CreateCommand(
            """
            SELECT format('GRANT %I TO %I', role, $1)
            FROM unnest(ARRAY['viral_app', 'viral_sweeper']) AS role
            WHERE NOT pg_has_role($1, role, 'MEMBER')
            """);
        ask.Parameters.Add(new NpgsqlParameter<string> { TypedValue = login });
        var grants = new List<string>();
        await using (var rows = await ask.ExecuteReaderAsync(ct))
        {
            while (await rows.ReadAsync(ct))
                grants.Add(rows.GetString(0));
        }

        foreach (var grant in grants)
        {
            await using var command = dataSource.CreateCommand(grant);
            await command.ExecuteNonQueryAsync(ct);
        }
    }
}
