using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Workflows;

public sealed class WebhookStepTests(RunningApp running) : IClassFixture<RunningApp>
{
    [Fact]
    public async Task A_webhook_step_calls_with_its_values_retries_and_gives_the_answer_on()
    {
        var calls = new ConcurrentQueue<(string Key, string Token, string Body)>();
        await using var receiver = await LoopbackServer.StartAsync(async http =>
        {
            using var reader = new StreamReader(http.Request.Body);
            calls.Enqueue((
                http.Request.Headers["Idempotency-Key"].ToString(), http.Request.Headers["X-Token"].ToString(),
                await reader.ReadToEndAsync()));
            if (calls.Count == 1)
            {
                http.Response.StatusCode = 503;
                return;
            }

            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync("""{"paid":true,"n":7}""");
        });
        using var tenant = await TestTenant.CreateAsync(running.App.Address, AppSettings.PlatformKey);
        var id = await tenant.StartAsync(new
        {
            input = new { amount = 12.5, path = "pay" },
            steps = new object[]
            {
                new
                {
                    id = "pay", type = "webhook", url = receiver.Url + "{{ input.path }}",
                    headers = new Dictionary<string, string> { ["X-Token"] = "t-{{ workflow.run }}" },
                    body = new { amount = "{{ input.amount }}", note = "for {{ input.path }}" },
                    retry = new { max_attempts = 3, initial_seconds = 0.1 },
                },
                WorkflowCalls.Echo("then", "{{ steps.pay.output.status }} {{ steps.pay.output.body.n }}"),
            },
        });

        var done = await tenant.Owner.WaitForWorkflowAsync(id, "completed");

        Assert.Equal("200 7", done.Step("then").GetProperty("output").GetString());
        Assert.Equal([$"{id}-step-pay-1-1", $"{id}-step-pay-1-2"], calls.Select(call => call.Key));
        Assert.All(
            calls, call => Assert.Equal(("t-1", """{"amount":12.5,"note":"for pay"}"""), (call.Token, call.Body)));
    }
}
