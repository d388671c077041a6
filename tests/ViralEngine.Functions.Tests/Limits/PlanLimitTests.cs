using System.Net;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Limits;

public sealed class PlanLimitTests(LimitedApp limited) : IClassFixture<LimitedApp>
{
    [Fact]
    public async Task Tells_the_rate_on_every_answer_and_refuses_beyond_it()
    {
        using var tenant = await TestTenant.CreateAsync(limited.App.Address, AppSettings.PlatformKey, "team");
        var api = tenant.Owner;

        var began = TimeProvider.System.GetTimestamp();
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => api.GetAsync("/api/tasks/none")));
        var seconds = (int)Math.Ceiling(TimeProvider.System.GetElapsedTime(began).TotalSeconds);

        Assert.All(answers, answer =>
        {
            Assert.Equal("\"tenant\";q=20;w=10, \"caller\";q=10;w=10", answer.Header("RateLimit-Policy"));
            Assert.Matches("^\"tenant\";r=[0-9]+;t=[0-9]+, \"caller\";r=[0-9]+;t=[0-9]+$", answer.Header("RateLimit"));
        });
        var refused = answers.Where(answer => answer.Status == HttpStatusCode.TooManyRequests).ToList();
        Assert.InRange(answers.Length - refused.Count, 10, 10 + seconds); // 10 at once, and one more each second
        Assert.All(refused, answer => Assert.InRange(int.Parse(answer.Header("Retry-After")!), 1, 10));
        Assert.Equal(
            HttpStatusCode.NotFound, answers.Except(refused).Select(answer => answer.Status).Distinct().Single());
    }

    [Fact]
    public async Task Takes_no_more_tasks_and_members_than_the_plan_allows()
    {
        using var tenant = await TestTenant.CreateAsync(limited.App.Address, AppSettings.PlatformKey, "free");
        var api = tenant.Owner;
        var members = $"/api/organizations/{tenant.Id}/members";

        for (var i = 0; i < 12; i++)
            (await api.PostAsync("/api/tasks", new { agent_id = "echo", description = "x" }))
                .Expect(HttpStatusCode.Created);
        var task = await api.PostAsync("/api/tasks", new { agent_id = "echo", description = "x" });
        (await api.PostAsync(members, new { subject = "one", role = "viewer" })).Expect(HttpStatusCode.Created);
        var same = await api.PostAsync(members, new { subject = "one", role = "viewer" });
        var member = await api.PostAsync(members, new { subject = "two", role = "viewer" });

        Assert.EndsWith("plan-limit", task.ExpectProblem(HttpStatusCode.TooManyRequests).Type);
        Assert.NotNull(task.Header("Retry-After"));
        same.ExpectProblem(HttpStatusCode.Conflict);
        member.ExpectProblem(HttpStatusCode.TooManyRequests);
        var organization = (await api.GetAsync($"/api/organizations/{tenant.Id}")).Expect(HttpStatusCode.OK).Json;
        Assert.Equal(12, organization.GetProperty("usage").GetProperty("tasks_this_month").GetInt32());
        Assert.Equal(1, organization.GetProperty("usage").GetProperty("members").GetInt32());
        Assert.Equal(12, organization.GetProperty("limits").GetProperty("tasks_per_month").GetInt32());
    }

    [Fact]
    public async Task Refuses_as_a_whole_a_batch_larger_than_what_is_left_of_the_month()
    {
        using var tenant = await TestTenant.CreateAsync(limited.App.Address, AppSettings.PlatformKey, "free");
        var api = tenant.Owner;
        (await api.PostAsync("/api/tasks", new { agent_id = "echo", description = "x" }))
            .Expect(HttpStatusCode.Created);

        var tooLarge = await api.PostAsync("/api/batches", Batch("echo", items: 12));
        var fits = await api.PostAsync("/api/batches", Batch("echo", items: 11));
        var task = await api.PostAsync("/api/tasks", new { agent_id = "echo", description = "x" });

        Assert.EndsWith("plan-limit", tooLarge.ExpectProblem(HttpStatusCode.TooManyRequests).Type);
        Assert.NotNull(tooLarge.Header("Retry-After"));
        fits.Expect(HttpStatusCode.Accepted);
        task.ExpectProblem(HttpStatusCode.TooManyRequests);
        Assert.Single(await api.ListAsync("/api/batches", "batches"));
        var organization = (await api.GetAsync($"/api/organizations/{tenant.Id}")).Expect(HttpStatusCode.OK).Json;
        Assert.Equal(12, organization.GetProperty("usage").GetProperty("tasks_this_month").GetInt32());
    }

    [Fact]
    public async Task Runs_no_more_items_at_a_time_than_the_plan_allows_whatever_their_batches()
    {
        using var tenant = await TestTenant.CreateAsync(limited.App.Address, AppSettings.PlatformKey, "free");
        var api = tenant.Owner;
        var slow = (await api.PostAsync(
            "/api/agents", new { name = "slow", kind = "echo", settings = new { delay_ms_per_chunk = 300 } }))
            .Json.GetProperty("id").GetString()!;

        foreach (var _ in Enumerable.Range(0, 2))
            (await api.PostAsync("/api/batches", Batch(slow, items: 6))).Expect(HttpStatusCode.Accepted);

        var mostRunning = 0;
        await Eventually.GetAsync(
            async () =>
            {
                var organization = (await api.GetAsync($"/api/organizations/{tenant.Id}"))
                    .Expect(HttpStatusCode.OK).Json;
                mostRunning = Math.Max(
                    mostRunning, organization.GetProperty("usage").GetProperty("tasks_running").GetInt32());
                return await api.ListAsync("/api/batches", "batches");
            },
            batches => batches.All(batch => batch.GetProperty("status").GetString() == "completed"),
            "both batches to run");

        Assert.Equal(2, mostRunning);
    }

    [Fact]
    public async Task An_instance_with_an_impossible_plan_says_so_and_ends()
    {
        var settings = limited.Settings.With("Limits:Plans:Team:Members", "-1");

        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => AppProcess.StartAsync(settings));

        Assert.Contains("Members", refusal.Message);
        Assert.Contains("1000000", refusal.Message);
    }

    [Fact]
    public async Task Runs_so_many_at_a_time_higher_priority_first()
    {
        using var tenant = await TestTenant.CreateAsync(limited.App.Address, AppSettings.PlatformKey, "free");
        var api = tenant.Owner;
        var slow = (await api.PostAsync(
            "/api/agents", new { name = "slow", kind = "echo", settings = new { delay_ms_per_chunk = 1500 } }))
            .Json.GetProperty("id").GetString();

        for (var i = 0; i < 8; i++)
        {
            (await api.PostAsync(
                "/api/tasks", new { agent_id = slow, description = "x", priority = i })).Expect(HttpStatusCode.Created);
        }

        var mostRunning = 0;
        var ended = await Eventually.GetAsync(
            async () =>
            {
                var tasks = await api.ListAsync("/api/tasks", "tasks");
                mostRunning = Math.Max(
                    mostRunning, tasks.Count(task => task.GetProperty("status").GetString() == "in_progress"));
                return tasks;
            },
            tasks => tasks.All(task => task.GetProperty("status").GetString() == "completed"),
            "all tasks to run");

        Assert.Equal(2, mostRunning);
        var started = ended.OrderBy(task => task.GetProperty("started_at").GetDateTime())
            .Select(task => task.GetProperty("priority").GetInt32()).ToList();
        // The first two found both slots free. When both are free again, the two next may take them in either order.
        for (var i = 2; i < started.Count; i++)
            Assert.InRange(started[i], started[i..].Max() - 1, started[i..].Max());
    }

    private static object Batch(string agent, int items) => new
    {
        name = "b",
        agent_id = agent,
        items = Enumerable.Range(0, items).Select(_ => new { description = "one two" }),
    };
}

/// <summary>An instance whose free plan is small.</summary>
public sealed class LimitedApp : IAsyncLifetime
{
    private readonly TestPostgres postgres = new();

    public AppProcess App { get; private set; } = null!;

    public AppSettings Settings { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        await postgres.InitializeAsync();
        Settings = new AppSettings(postgres)
            .With("Limits:Plans:Free:TasksPerMonth", "12")
            .With("Limits:Plans:Free:Members", "1")
            .With("Limits:Plans:Free:ConcurrentTasks", "2")
            .With("Limits:Plans:Team:RequestsPerSecond", "2");
        App = await AppProcess.StartAsync(Settings);
    }

    public async Task DisposeAsync()
    {
        await App.DisposeAsync();
        await postgres.DisposeAsync();
    }
}
