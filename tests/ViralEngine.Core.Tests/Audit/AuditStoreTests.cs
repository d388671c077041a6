using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Npgsql;
using ViralEngine.Core.Audit;
using ViralEngine.Core.Storage;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Audit;

public sealed class AuditStoreTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    [Fact]
    public async Task Lists_by_actor_action_target_and_time_newest_first()
    {
        await using var db = postgres.NewDb();
        var (tenant, store) = (NewTenant(), new AuditStore(db));
        await store.AddAsync(tenant, Entry("webhook.created", "1", actor: "user:a"), CancellationToken.None);
        await store.AddAsync(tenant, Entry("webhook.deleted", "1", actor: "user:b"), CancellationToken.None);
        await store.AddAsync(tenant, Entry("agent.created", "2", actor: "user:a"), CancellationToken.None);

        Assert.Equal(["agent.created", "webhook.deleted", "webhook.created"], await ActionsAsync(new()));
        Assert.Equal(["agent.created", "webhook.created"], await ActionsAsync(new(Actor: "user:a")));
        Assert.Equal(["webhook.deleted"], await ActionsAsync(new(Action: "webhook.deleted")));
        Assert.Equal(["webhook.deleted", "webhook.created"], await ActionsAsync(new(Action: "webhook.*")));
        Assert.Equal(["agent.created"], await ActionsAsync(new(TargetKind: "agent")));
        Assert.Equal(
            ["webhook.deleted", "webhook.created"], await ActionsAsync(new(TargetKind: "webhook", TargetId: "1")));
        Assert.Equal(
            3, (await ActionsAsync(new(From: DateTime.UtcNow.AddHours(-1), To: DateTime.UtcNow.AddHours(1)))).Count);
        Assert.Empty(await ActionsAsync(new(To: DateTime.UtcNow.AddHours(-1))));
        Assert.Empty(await store.ListAsync(NewTenant(), new AuditFilter(), null, 10, CancellationToken.None));

        async Task<List<string>> ActionsAsync(AuditFilter filter) =>
            [.. (await store.ListAsync(tenant, filter, null, 100, CancellationToken.None))
                .Select(entry => entry.Action)];
    }

    [Theory]
    [InlineData("UPDATE viral.audit_log SET actor = 'somebody else'")]
    [InlineData("DELETE FROM viral.audit_log")]
    [InlineData("TRUNCATE viral.audit_log")]
    public async Task The_app_has_no_right_to_change_what_is_written(string sql)
    {
        await using var db = postgres.NewDb();
        var tenant = NewTenant();
        await new AuditStore(db).AddAsync(tenant, Entry("webhook.created", "1"), CancellationToken.None);

        var refused = await Assert.ThrowsAsync<PostgresException>(
            () => db.ExecuteAsync(tenant, sql, [], CancellationToken.None));

        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
    }

    [Theory]
    [InlineData("UPDATE viral.audit_log SET actor = 'somebody else'")]
    [InlineData("INSERT INTO viral.audit_log (tenant_id) VALUES (gen_random_uuid())")]
    public async Task Sweeps_have_no_right_but_to_delete(string sql)
    {
        await using var db = postgres.NewDb();

        var refused = await Assert.ThrowsAsync<PostgresException>(
            () => db.ExecuteAsync(DbScope.AllTenants, sql, [], CancellationToken.None));

        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
    }

    [Fact]
    public async Task Is_swept_when_its_time_is_over()
    {
        await using var db = postgres.NewDb();
        var (tenant, store) = (NewTenant(), new AuditStore(db));
        await store.AddAsync(tenant, Entry("webhook.created", "old"), CancellationToken.None);
        await using (var admin = new NpgsqlConnection(postgres.AdminConnection))
        {
            await admin.OpenAsync();
            await using var age = new NpgsqlCommand(
                "UPDATE viral.audit_log SET at = now() - interval '31 days'", admin);
            await age.ExecuteNonQueryAsync();
        }

        await store.AddAsync(tenant, Entry("webhook.created", "new"), CancellationToken.None);
        await new AuditSweeper(db, Options.Create(new AuditOptions { RetentionDays = 30 }))
            .RunAsync(CancellationToken.None);

        Assert.Equal(
            "new",
            Assert.Single(await store.ListAsync(tenant, new AuditFilter(), null, 10, CancellationToken.None)).TargetId);
    }

    [Fact]
    public void Secrets_are_taken_out_wherever_they_are()
    {
        var node = JsonNode.Parse(
            """
            {
              "id": "1", "name": "n", "secret": "s1", "key": "s2", "hint": "vk_…", "api_key": {"id": "2", "key": "s3"},
              "settings": {
                "url": "https://example.com/a?token=s4", "headers": {"X-A": "s5"}, "secret_headers": {"X-B": "s6"}
              },
              "list": [{"access_token": "s7", "client_secret": "s8", "input_tokens": 5}],
              "api_key_set": true, "password": null
            }
            """);

        AuditRedaction.Redact(node);

        var text = node!.ToJsonString();
        Assert.DoesNotMatch("s[1-8]\"", text);
        Assert.Contains("\"api_key\":{\"id\":\"2\"", text, StringComparison.Ordinal);
        Assert.Contains("\"input_tokens\":5", text, StringComparison.Ordinal);
        Assert.Contains("https://example.com/a?[redacted]", text, StringComparison.Ordinal);
        Assert.Contains("\"api_key_set\":true", text, StringComparison.Ordinal);
    }

    private static TenantId NewTenant() => new(Guid.CreateVersion7());

    private static NewAuditEntry Entry(string action, string target, string actor = "user:a") => new(
        actor, "admin", "token", "subject", action, action.Split('.')[0], target, "192.0.2.1", "test", "request-1",
        null, """{"a": 1}""");
}
