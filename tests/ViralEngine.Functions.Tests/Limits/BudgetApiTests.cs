using System.Net;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Limits;

[Trait("Category", "BlackBox")]
public sealed class BudgetApiTests(ApiUnderTest app) : IClassFixture<ApiUnderTest>
{
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
        Assert.Contains("agents[0].agent_id", (await api.PutAsync(
            path, new { agents = new[] { new { agent_id = "none", monthly_usd = 1 } } })).ExpectProblem(HttpStatusCode.BadRequest).Errors.Keys);
        (await api.PutAsync($"/api/organizations/{Guid.NewGuid()}/budget", new { })).ExpectProblem(HttpStatusCode.NotFound);
        Assert.Empty((await api.PutAsync(path, new { })).Expect(HttpStatusCode.OK).Json.GetProperty("agents").EnumerateArray());
    }
}
