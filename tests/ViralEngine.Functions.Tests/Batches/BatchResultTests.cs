using System.Net;
using System.Text.Json;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Batches;

[Trait("Category", "BlackBox")]
public sealed class BatchResultTests(ApiUnderTest app) : IClassFixture<ApiUnderTest>
{
    [Fact]
    public async Task Csv_follows_rfc_4180_and_holds_nothing_that_a_spreadsheet_would_run()
    {
        using var tenant = await app.NewTenantAsync();
        string[] words =
        [
            "=1+2", "+1", "-1", "@cmd", "\t=1", "\r=1", "say \"hi\", twice", "two\nlines", "plain", "'quoted"
        ];
        var id = await tenant.Owner.SubmitBatchAsync(new
        {
            name = "csv",
            agent_id = "echo",
            items = words.Select((word, i) => new { id = i == 0 ? "=id" : $"i{i}", description = word }),
        });
        await tenant.Owner.WaitForBatchAsync(id, "completed");

        var answer = (await tenant.Owner.GetAsync($"/api/batches/{id}/results?format=csv")).Expect(HttpStatusCode.OK);

        var lines = answer.Text.Split("\r\n");
        Assert.StartsWith("text/csv", answer.Header("Content-Type"));
        Assert.Equal(
            "id,status,agent_id,result,answered_by,error_class,error_message,attempt,input_tokens,output_tokens,"
            + "cost_usd,completed_at,finish_reason,metadata",
            lines[0]);
        Assert.Equal(words.Length + 2, lines.Length);
        Assert.StartsWith("\"'=id\",completed,echo,\"'=1+2\",echo,", lines[1]);
        Assert.StartsWith("i1,completed,echo,\"'+1\",", lines[2]);
        Assert.StartsWith("i2,completed,echo,\"'-1\",", lines[3]);
        Assert.StartsWith("i3,completed,echo,\"'@cmd\",", lines[4]);
        Assert.StartsWith("i4,completed,echo,\"'\t=1\",", lines[5]);
        Assert.StartsWith("i5,completed,echo,\"'\r=1\",", lines[6]);
        Assert.StartsWith("i6,completed,echo,\"say \"\"hi\"\", twice\",", lines[7]);
        Assert.StartsWith("i7,completed,echo,\"two\nlines\",", lines[8]);
        Assert.StartsWith("i8,completed,echo,plain,", lines[9]);
    }

    [Theory]
    [InlineData("text/csv", "", "text/csv")]
    [InlineData("Text/CSV; header=present", "", "text/csv")]
    [InlineData("application/x-ndjson", "", "application/x-ndjson")]
    [InlineData("application/json;q=0.5, text/csv", "", "text/csv")]
    [InlineData("text/csv;q=0, */*", "", "application/json")]
    [InlineData("text/csv;q=0", "", "application/json")]
    [InlineData("image/png", "", "application/json")]
    [InlineData("text/csv", "?format=ndjson", "application/x-ndjson")]
    [InlineData(null, "", "application/json")]
    public async Task The_client_may_ask_for_a_format_by_what_it_accepts(string? accept, string query, string expected)
    {
        using var tenant = await app.NewTenantAsync();
        var id = await tenant.Owner.SubmitManyAsync(1);
        await tenant.Owner.WaitForBatchAsync(id, "completed");
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/batches/{id}/results{query}");
        if (accept is not null)
            request.Headers.TryAddWithoutValidation("Accept", accept);

        var answer = (await tenant.Owner.SendAsync(request)).Expect(HttpStatusCode.OK);

        Assert.StartsWith(expected, answer.Header("Content-Type"));
    }

    [Fact]
    public async Task Streams_more_results_than_a_page_in_each_format()
    {
        using var tenant = await app.NewTenantAsync();
        var id = await tenant.Owner.SubmitManyAsync(2500);
        await tenant.Owner.WaitForBatchAsync(id, "completed");

        var json = await tenant.Owner.ResultsAsync(id);
        var lines = (await tenant.Owner.GetAsync($"/api/batches/{id}/results?format=ndjson")).Expect(HttpStatusCode.OK);
        var csv = (await tenant.Owner.GetAsync($"/api/batches/{id}/results?format=csv&status=completed"))
            .Expect(HttpStatusCode.OK);
        var none = (await tenant.Owner.GetAsync($"/api/batches/{id}/results?format=ndjson&status=failed"))
            .Expect(HttpStatusCode.OK);

        Assert.Equal(
            Enumerable.Range(1, 2500).Select(i => $"item {i}"),
            json.Select(row => row.GetProperty("result").GetString()));
        Assert.Equal("application/x-ndjson", lines.Header("Content-Type"));
        Assert.Equal(
            json.Select(row => row.GetRawText()),
            lines.Text.TrimEnd('\n').Split('\n').Select(line => JsonDocument.Parse(line).RootElement.GetRawText()));
        Assert.Equal(2500 + 2, csv.Text.Split("\r\n").Length);
        Assert.Empty(none.Text);
        (await tenant.Owner.GetAsync($"/api/batches/{id}/results?format=xml")).ExpectProblem(HttpStatusCode.BadRequest);
    }
}
