using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http;
using ViralEngine.Core.Batches;
using ViralEngine.Functions.Batches;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Tests.Batches;

/// <summary>CSV as spreadsheets and data frames write it.</summary>
public sealed class CsvBodyTests
{
    [Theory]
    [InlineData("description,timeout_seconds\r\nfirst,10\r\nsecond,20\r\n")]
    [InlineData("\ufeffdescription;timeout_seconds\nfirst;10\nsecond;20")]
    [InlineData("sep=;\r\ndescription;timeout_seconds\r\nfirst;10\r\nsecond;20\r\n")]
    [InlineData("\ufeffSEP=\t\ndescription\ttimeout_seconds\nfirst\t10\nsecond\t20\n")]
    [InlineData("description,timeout_seconds\nfirst,10.0\nsecond, 20 \n")] // a data frame's numbers
    [InlineData("description,timeout_seconds,,\nfirst,10,,\nsecond,20,,\n,,,\n,,,\n")] // cells that were used once
    [InlineData("description,timeout_seconds\n\nfirst,10\n,\nsecond,20,\n")]
    public async Task Reads_what_spreadsheets_write(string csv)
    {
        var items = await ReadAsync(csv);

        Assert.Equal(
            [("first", 10), ("second", 20)], items.Select(item => (item.Description, item.TimeoutSeconds!.Value)));
    }

    [Theory]
    [InlineData("sep=;\ndescription,timeout_seconds\nfirst,10\n", "line 2")] // it was said to be something else
    [InlineData("description,,,tone\na,b,c,d\n", "line 1")]
    [InlineData("description,tone\na,b,c\n", "line 2")]
    [InlineData("description,tone\na\n", "line 2")]
    [InlineData("description\n\n\n", "items")]
    [InlineData("description,tone\n,\n", "items")]
    [InlineData("description,timeout_seconds\na,10.5\n", "line 2.timeout_seconds")]
    [InlineData("sep=;\n", "items")]
    public async Task Names_the_line_that_it_cannot_read(string csv, string name)
    {
        var refused = await Assert.ThrowsAsync<ProblemException>(() => ReadAsync(csv));

        Assert.Contains(name, refused.Problem.Errors!.Keys);
    }

    private static async Task<List<NewBatchItem>> ReadAsync(string csv)
    {
        var pipe = PipeReader.Create(new MemoryStream(Encoding.UTF8.GetBytes(csv)));
        var query = new QueryCollection(new Dictionary<string, Microsoft.Extensions.Primitives.StringValues>
        {
            ["name"] = "n",
            ["agent_id"] = "echo"
        });
        return await new CsvBatchBody(pipe, 1 << 20, query).ReadAsync(default).ToListAsync();
    }
}
