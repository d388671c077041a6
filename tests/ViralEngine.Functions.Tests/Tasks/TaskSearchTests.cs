using System.Net;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Tasks;

[Trait("Category", "BlackBox")]
public sealed class TaskSearchTests(ApiUnderTest api) : IClassFixture<ApiUnderTest>
{
    private const string Refund = @"Refund 50% of order_17, see C:\orders";
    private const string AnotherRefund = "REFUND 500 of orderX17, see C:/orders";
    private const string Translation = "Übersetze den Brief";

    [Fact]
    public async Task Finds_a_part_of_the_description_in_upper_or_lower_case()
    {
        using var tenant = await api.NewTenantAsync();
        await SubmitAsync(tenant, Refund, AnotherRefund, Translation);

        Assert.Equal([AnotherRefund, Refund], await FindAsync(tenant, "refund"));
        Assert.Equal([AnotherRefund, Refund], await FindAsync(tenant, "FUND 50"));
        Assert.Equal([Refund], await FindAsync(tenant, "order_17, SEE"));
        Assert.Equal([Translation], await FindAsync(tenant, "übersetze DEN"));
        Assert.Equal([Translation], await FindAsync(tenant, "ÜBER"));
        Assert.Empty(await FindAsync(tenant, "refund letter"));
    }

    [Theory]
    [InlineData("50%", Refund)]
    [InlineData("order_17", Refund)]
    [InlineData(@"C:\o", Refund)]
    [InlineData("C:/o", AnotherRefund)]
    [InlineData("Refund%", null)]
    [InlineData("%", Refund)]
    [InlineData("_", Refund)]
    [InlineData(@"\", Refund)]
    [InlineData(@"\%", null)]
    [InlineData("'", null)]
    [InlineData("\ufffd", null)]
    public async Task Takes_every_character_as_it_is(string text, string? expected)
    {
        using var tenant = await api.NewTenantAsync();
        await SubmitAsync(tenant, Refund, AnotherRefund, Translation);

        var found = await FindAsync(tenant, text);

        Assert.Equal(expected, found.SingleOrDefault());
    }

    [Fact]
    public async Task Pages_through_what_matches_all_filters_without_gaps()
    {
        using var tenant = await api.NewTenantAsync();
        var ids = await SubmitAsync(tenant, [.. Enumerable.Range(0, 16).Select(i => i % 2 == 0 ? "letter" : "report")]);
        foreach (var id in new[] { ids[4], ids[5] })
            (await tenant.Owner.PostAsync($"/api/tasks/{id}/cancel")).Expect(HttpStatusCode.OK);

        var listed = new List<string>();
        string? cursor = null;
        do
        {
            var page = (await tenant.Owner.GetAsync(
                $"/api/tasks?search=Letter&status=pending&limit=3{(cursor is null ? "" : $"&cursor={cursor}")}"))
                .Expect(HttpStatusCode.OK).Json;
            listed.AddRange(
                page.GetProperty("tasks").EnumerateArray().Select(task => task.GetProperty("id").GetString()!));
            cursor = page.GetProperty("next_cursor").GetString();
        }
        while (cursor is not null);
        var cancelled = await tenant.Owner.ListAsync("/api/tasks?search=letter&status=cancelled", "tasks");

        Assert.Equal([ids[14], ids[12], ids[10], ids[8], ids[6], ids[2], ids[0]], listed.AsEnumerable());
        Assert.Equal(ids[4], Assert.Single(cancelled).GetProperty("id").GetString());
    }

    [Fact]
    public async Task Finds_with_a_tag()
    {
        using var tenant = await api.NewTenantAsync();
        foreach (var (description, tag) in new[] { ("letter", "one"), ("letter", "two"), ("report", "two") })
            await tenant.SubmitAsync(
                new { agent_id = "echo", description, tags = new[] { tag }, scheduled_at = InAnHour() });

        var found = await tenant.Owner.ListAsync("/api/tasks?search=letter&tag=two", "tasks");

        Assert.Equal("two", Assert.Single(found).GetProperty("tags")[0].GetString());
    }

    [Fact]
    public async Task Finds_nothing_of_another_tenant()
    {
        using var tenant = await api.NewTenantAsync();
        using var other = await api.NewTenantAsync();
        await SubmitAsync(tenant, Refund);

        Assert.Empty(await FindAsync(other, "Refund"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("%00")]
    [InlineData("a%00b")]
    public async Task Text_that_no_description_can_contain_is_refused_by_the_name_of_its_field(string text)
    {
        using var tenant = await api.NewTenantAsync();

        var problem = (await tenant.Owner.GetAsync($"/api/tasks?search={text}"))
            .ExpectProblem(HttpStatusCode.BadRequest);

        Assert.Equal("search", Assert.Single(problem.Errors).Key);
    }

    [Fact]
    public async Task Text_has_at_most_200_characters()
    {
        using var tenant = await api.NewTenantAsync();

        var problem = (await tenant.Owner.GetAsync($"/api/tasks?search={new string('x', 201)}"))
            .ExpectProblem(HttpStatusCode.BadRequest);

        Assert.Equal("Must have 1 to 200 characters.", Assert.Single(problem.Errors["search"]));
        Assert.Empty(await FindAsync(tenant, new string('x', 200)));
    }

    [Fact]
    public async Task Bytes_that_are_no_text_find_nothing()
    {
        using var tenant = await api.NewTenantAsync();
        await SubmitAsync(tenant, Refund);

        // Half of a pair of surrogates, and a byte that UTF-8 does not have.
        foreach (var text in new[] { "%ED%A0%BD", "%FF" })
        {
            var found = (await tenant.Owner.GetAsync($"/api/tasks?search={text}")).Expect(HttpStatusCode.OK).Json;
            Assert.Empty(found.GetProperty("tasks").EnumerateArray());
        }
    }

    /// <summary>Tasks that do not run yet, the last the newest.</summary>
    private static async Task<List<string>> SubmitAsync(TestTenant tenant, params string[] descriptions)
    {
        var ids = new List<string>();
        foreach (var description in descriptions)
            ids.Add(await tenant.SubmitAsync(new { agent_id = "echo", description, scheduled_at = InAnHour() }));
        return ids;
    }

    private static async Task<IEnumerable<string>> FindAsync(TestTenant tenant, string text) =>
        (await tenant.Owner.ListAsync($"/api/tasks?search={Uri.EscapeDataString(text)}", "tasks"))
            .Select(task => task.GetProperty("description").GetString()!);

    private static DateTime InAnHour() => DateTime.UtcNow.AddHours(1);
}
