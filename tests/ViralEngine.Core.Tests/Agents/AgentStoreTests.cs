using System.Text;
using Microsoft.Extensions.Options;
using Npgsql;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Agents.Echo;
using ViralEngine.Core.Agents.Http;
using ViralEngine.Core.Secrets;
using ViralEngine.Core.Storage;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Agents;

public sealed class AgentStoreTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    private const string OldKey = "old:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    private const string NewKey = "new:HxECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    private const string Secret = "sk-live-0123456789abcdef";

    [Fact]
    public async Task Gives_an_agent_back_with_its_secrets_open()
    {
        await using var db = postgres.NewDb();
        var (tenant, store) = (await NewTenantAsync(), StoreOf(db));
        var settings = new HttpSettings
        {
            Url = "https://example.com/run",
            Headers = new Dictionary<string, string> { ["X-A"] = "1" },
            SecretHeaders = new Dictionary<string, string> { ["X-B"] = "hush" },
            TextPath = "/text",
            TimeoutSeconds = 5,
            Price = new TokenPrice(1, 2.5m),
        };

        var agent = await CreateAsync(store, tenant, Draft("mine", settings, Secret));
        var definition = Assert.Single(await store.LoadChainAsync(tenant, agent.Id, CancellationToken.None));

        Assert.Equal(Secret, definition.ApiKey);
        var read = Assert.IsType<HttpSettings>(definition.Settings);
        Assert.Equal("hush", read.SecretHeaders!["X-B"]);
        Assert.Equal("1", read.Headers!["X-A"]);
        Assert.Equal(
            settings with { Headers = null, SecretHeaders = null }, read with { Headers = null, SecretHeaders = null });
        Assert.Equal("cdef", agent.ApiKeyHint);
        Assert.Equal(["X-B"], agent.SecretHeaderNames);
    }

    [Fact]
    public async Task Stores_no_secret_in_the_clear()
    {
        await using var db = postgres.NewDb();
        var settings = new HttpSettings
        {
            Url = "https://example.com/run",
            SecretHeaders = new Dictionary<string, string> { ["X-B"] = "hush-hush" },
        };

        await CreateAsync(StoreOf(db), await NewTenantAsync(), Draft("mine", settings, Secret));

        foreach (var row in await ReadAllAsAdminAsync(
            "SELECT agent::text || encode(secrets, 'escape') FROM viral.agents AS agent"))
        {
            Assert.DoesNotContain(Secret, row);
            Assert.DoesNotContain("hush-hush", row);
            Assert.DoesNotContain(Convert.ToHexStringLower(Encoding.UTF8.GetBytes("hush-hush")), row);
        }
    }

    [Fact]
    public async Task Tries_fallbacks_in_the_order_in_which_they_are_listed()
    {
        await using var db = postgres.NewDb();
        var (tenant, store) = (await NewTenantAsync(), StoreOf(db));
        var first = await CreateAsync(store, tenant, Draft("first"));
        var second = await CreateAsync(store, tenant, Draft("second") with { FallbackAgentIds = [first.Id] });
        var main = await CreateAsync(store, tenant, Draft("main") with { FallbackAgentIds = [second.Id, first.Id] });

        var chain = await new AgentDirectory(store).LoadChainAsync(tenant, main.Id.ToString(), CancellationToken.None);

        Assert.Equal(["main", "second", "first"], chain.Select(agent => agent.Name));
    }

    [Fact]
    public async Task Another_tenant_sees_nothing_and_changes_nothing()
    {
        await using var db = postgres.NewDb();
        var (tenant, other, store) = (await NewTenantAsync(), await NewTenantAsync(), StoreOf(db));
        var agent = await CreateAsync(store, tenant, Draft("mine", key: Secret));

        Assert.Null(await store.FindAsync(other, agent.Id, CancellationToken.None));
        Assert.Empty(await store.ListAsync(other, null, null, null, 10, CancellationToken.None));
        Assert.Empty(await store.LoadChainAsync(other, agent.Id, CancellationToken.None));
        Assert.False(await store.ExistsAsync(other, agent.Id, CancellationToken.None));
        Assert.Null(await store.DeleteAsync(other, agent.Id, CancellationToken.None));
        Assert.IsType<SaveAgent.Outcome.NotFound>(
            await new SaveAgent(store).ReplaceAsync(other, agent.Id, Draft("mine"), CancellationToken.None));
        Assert.IsType<SaveAgent.Outcome.Invalid>(await new SaveAgent(store).CreateAsync(
            other, Draft("theirs") with { FallbackAgentIds = [agent.Id] }, "test", CancellationToken.None));
        Assert.NotNull(await store.FindAsync(tenant, agent.Id, CancellationToken.None));
    }

    [Fact]
    public async Task Secrets_moved_to_another_agent_s_row_do_not_open()
    {
        await using var db = postgres.NewDb();
        var (tenant, store) = (await NewTenantAsync(), StoreOf(db));
        var rich = await CreateAsync(store, tenant, Draft("rich", key: Secret));
        var poor = await CreateAsync(store, tenant, Draft("poor"));
        await ReadAllAsAdminAsync(
            $"UPDATE viral.agents SET secrets = (SELECT secrets FROM viral.agents WHERE id = '{rich.Id}') "
            + $"WHERE id = '{poor.Id}'");

        await Assert.ThrowsAnyAsync<System.Security.Cryptography.CryptographicException>(
            () => store.LoadChainAsync(tenant, poor.Id, CancellationToken.None));
    }

    [Fact]
    public async Task Of_two_changes_at_once_one_is_told_so()
    {
        await using var db = postgres.NewDb();
        var (tenant, store) = (await NewTenantAsync(), StoreOf(db));
        var agent = await CreateAsync(store, tenant, Draft("mine"));
        var stored = await store.FindForEditAsync(tenant, agent.Id, CancellationToken.None);

        var none = new AgentSecrets(null, null);
        var first = await store.ReplaceAsync(
            tenant, agent.Id, stored!.Version, Draft("one"), none, CancellationToken.None);
        var second = await store.ReplaceAsync(
            tenant, agent.Id, stored.Version, Draft("two"), none, CancellationToken.None);

        Assert.True(first!.Done);
        Assert.False(second!.Done);
        Assert.Equal("one", (await store.FindAsync(tenant, agent.Id, CancellationToken.None))!.Name);
    }

    [Fact]
    public async Task The_key_is_rotated_under_every_tenant()
    {
        await using var db = postgres.NewDb();
        var (tenant, other) = (await NewTenantAsync(), await NewTenantAsync());
        var mine = await CreateAsync(StoreOf(db, OldKey), tenant, Draft("mine", key: Secret));
        var theirs = await CreateAsync(StoreOf(db, OldKey), other, Draft("theirs", key: "sk-other"));

        var rotation = new AgentSecretRotation(db, BoxOf(NewKey, OldKey));
        Assert.True(await rotation.RunAsync(CancellationToken.None) >= 2);
        Assert.Equal(0, await rotation.RunAsync(CancellationToken.None));

        var store = StoreOf(db, NewKey);
        Assert.Equal(Secret, (await store.LoadChainAsync(tenant, mine.Id, CancellationToken.None))[0].ApiKey);
        Assert.Equal("sk-other", (await store.LoadChainAsync(other, theirs.Id, CancellationToken.None))[0].ApiKey);
    }

    private static SecretBox BoxOf(params string[] keys) => new(Options.Create(new SecretsOptions { Keys = keys }));

    private static AgentStore StoreOf(Db db, string key = OldKey) => new(db, BoxOf(key));

    private static AgentDraft Draft(string name, AgentSettings? settings = null, string? key = null) => new(
        name, null, settings is null or EchoSettings ? AgentKind.Echo : AgentKind.Http, settings ?? EchoSettings.Plain,
        key, false, []);

    private static async Task<Agent> CreateAsync(AgentStore store, TenantId tenant, AgentDraft draft)
    {
        var outcome = await new SaveAgent(store).CreateAsync(tenant, draft, "test", CancellationToken.None);
        return Assert.IsType<SaveAgent.Outcome.Saved>(outcome).Agent;
    }

    private async Task<TenantId> NewTenantAsync()
    {
        var id = Guid.CreateVersion7();
        await ReadAllAsAdminAsync($"INSERT INTO viral.organizations (id, name) VALUES ('{id}', 'Someone')");
        return new TenantId(id);
    }

    private async Task<List<string>> ReadAllAsAdminAsync(string sql)
    {
        await using var admin = new NpgsqlConnection(postgres.AdminConnection);
        await admin.OpenAsync();
        await using var command = new NpgsqlCommand(sql, admin);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<string>();
        while (await reader.ReadAsync())
            rows.Add(reader.IsDBNull(0) ? "" : reader.GetString(0));
        return rows;
    }
}
