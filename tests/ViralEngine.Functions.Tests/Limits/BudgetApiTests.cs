using System.Net;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Limits;

[Trait("Category", "BlackBox")]
public sealed class BudgetApiTests(ApiUnderTest app) : IClassFixture<ApiUnderTest>
{
    [Theory]
    [InlineData("3000000000")]
    [InlineData("1000000000.01")]
    [InlineData("-0.4")]
    [InlineData("-0.000000001")]
    [InlineData("1e28")]
    [InlineData("1e400")]
    public async Task An_amount_out_of_bounds_is_refused(string amount)
    {
        using var tenant = await app.NewTenantAsync();
        var path = $"/api/organizations/{tenant.Id}/budget";

        var whole = await tenant.Owner.PutAsync(path, $$"""{"monthly_usd":{{amount}}}""");
        var one = await tenant.Owner.PutAsync(path, $$"""{"agents":[{"agent_id":"echo","monthly_usd":{{amount}}}]}""");

        Assert.Contains("monthly_usd", whole.ExpectProblem(HttpStatusCode.BadRequest).Errors.Keys);
        Assert.Contains("agents[0].monthly_usd", one.ExpectProblem(HttpStatusCode.BadRequest).Errors.Keys);
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("0.4", 0.4)]
    [InlineData("1000000000", 1_000_000_000)]
    public async Task An_amount_at_its_bounds_is_taken(string amount, double expected)
    {
        using var tenant = await app.NewTenantAsync();

        var set = await tenant.Owner.PutAsync(
            $"/api/organizations/{tenant.Id}/budget", $$"""{"monthly_usd":{{amount}}}""");

        Assert.Equal(expected, set.Expect(HttpStatusCode.OK).Json.GetProperty("monthly_usd").GetDouble());
    }

    [Fact]
    public async Task Budgets_are_set_whole_by_admins_for_agents_that_exist()
    {
        using var tenant = await app.NewTenantAsync();
        var api = tenant.Owner;
        using var operators = await tenant.NewClientAsync("operator");
        var path = $"/api/organizations/{tenant.Id}/budget";
        var agents = new[] { new { agent_id = "echo", monthly_usd = 1.5 } };

        var set = (await api.PutAsync(path, new { monthly_usd = 10, agents })).Expect(HttpStatusCode.OK);
        var read = (await operators.GetAsync(path)).Expect(HttpStatusCode.OK);

        Assert.Equal(set.Text, read.Text);
        Assert.Equal(1.5m, read.Json.GetProperty("agents")[0].GetProperty("monthly_usd").GetDecimal());
        (await operators.PutAsync(path, new { monthly_usd = 1 })).ExpectProblem(HttpStatusCode.Forbidden);
        Assert.Contains(
            "agents[0].agent_id",
            (await api.PutAsync(path, new { agents = new[] { new { agent_id = "none", monthly_usd = 1 } } }))
                .ExpectProblem(HttpStatusCode.BadRequest).Errors.Keys);
        (await api.PutAsync($"/api/organizations/{Guid.NewGuid()}/budget", new { })).ExpectProblem(
            HttpStatusCode.NotFound);
        Assert.Empty(
            (await api.PutAsync(path, new { })).Expect(HttpStatusCode.OK).Json.GetProperty("agents").EnumerateArray());
    }
}
