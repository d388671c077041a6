using System.Security.Cryptography;
using Npgsql;
using ViralEngine.Core.Storage;
using ViralEngine.LocalHost.Durable;

namespace ViralEngine.Testing;

/// <summary>
/// The migrated database that tests copy. Its name holds the hash of all migrations, so it is built once for each state
/// of them; it takes that name when complete, so a half-built one is never copied.
/// </summary>
internal static class TestTemplate
{
    private static readonly SemaphoreSlim Gate = new(1);
    private static string? prepared;

    public static async Task<string> PrepareAsync(TestLogins logins)
    {
        await Gate.WaitAsync();
        try
        {
            return prepared ??= await BuildAsync(logins);
        }
        finally
        {
            Gate.Release();
        }
    }

    private static async Task<string> BuildAsync(TestLogins logins)
    {
        var name = $"viral_template_{await HashAsync()}";
        var unfinished = name + "_unfinished";
        await using var admin = await TestLogins.OpenAdminWithLockAsync();
        await using (var exists = new NpgsqlCommand("SELECT FROM pg_database WHERE datname = $1", admin))
        {
            exists.Parameters.AddWithValue(name);
            await using var rows = await exists.ExecuteReaderAsync();
            if (rows.HasRows)
                return name;
        }

        await ExecuteAsync($"DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)");
        await ExecuteAsync($"CREATE DATABASE {unfinished} OWNER {TestLogins.Owner}");
        // Without a pool: a template in use cannot be copied.
        var owner = logins.OwnerConnection(unfinished) + ";Pooling=false";
        await Migrator.MigrateAsync(owner, CancellationToken.None);
        await LocalDurableSchema.InstallAsync(owner, TestLogins.App, CancellationToken.None);
        await ExecuteAsync($"GRANT viral_app, viral_sweeper TO {TestLogins.App}");
        await ExecuteAsync($"ALTER DATABASE {unfinished} RENAME TO {name}");
        return name;

        async Task ExecuteAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, admin);
            await command.ExecuteNonQueryAsync();
        }
    }

    private static async Task<string> HashAsync()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var assembly = typeof(Migrator).Assembly;
        foreach (var script in assembly.GetManifestResourceNames().Order(StringComparer.Ordinal))
        {
            await using var content = assembly.GetManifestResourceStream(script)!;
            using var text = new MemoryStream();
            await content.CopyToAsync(text);
            hash.AppendData(text.ToArray());
        }

        hash.AppendData(typeof(LocalDurableSchema).Module.ModuleVersionId.ToByteArray());
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }
}
