using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace ViralEngine.LocalHost.Sample;

/// <summary>Everything that a client can ask about orchestrations, as requests.</summary>
public static class DurableClientFunctions
{
    [Function("OrchestrationStart")]
    public static async Task<IResult> StartAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "orchestrations/{name}/{id}")] HttpRequest request,
        string name,
        string id,
        [DurableClient] DurableTaskClient durable,
        CancellationToken ct)
    {
        object? input = request.Query["input"] is [{ } json] ? JsonSerializer.Deserialize<JsonElement>(json) : null;
        try
        {
            return Results.Text(await durable.ScheduleNewOrchestrationInstanceAsync(
                name, input, new StartOrchestrationOptions(id), ct));
        }
        catch (Exception exception)
        {
            return Results.Text($"{exception.GetType().Name}: {exception.Message}", statusCode: 409);
        }
    }

    [Function("OrchestrationStatus")]
    public static async Task<IResult> StatusAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "orchestrations/{id}")] HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient durable,
        CancellationToken ct)
    {
        var wait = request.Query.ContainsKey("wait");
        var found = wait
            ? await durable.WaitForInstanceCompletionAsync(id, getInputsAndOutputs: true, ct)
            : await durable.GetInstanceAsync(id, getInputsAndOutputs: true, ct);
        return found is null ? Results.NotFound() : Results.Json(new
        {
            found.Name,
            Status = found.RuntimeStatus.ToString(),
            Output = found.SerializedOutput,
            CustomStatus = found.SerializedCustomStatus,
            Failure = found.FailureDetails?.ErrorMessage,
            FailureType = found.FailureDetails?.ErrorType,
            Inner = found.FailureDetails?.InnerFailure?.ErrorType,
        });
    }

    [Function("OrchestrationCommand")]
    public static async Task<IResult> CommandAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "put", Route = "orchestrations/{id}/{command}")] HttpRequest request,
        string id,
        string command,
        [DurableClient] DurableTaskClient durable,
        CancellationToken ct)
    {
        switch (command)
        {
            case "raise":
                await durable.RaiseEventAsync(id, request.Query["event"]!, request.Query["value"].ToString(), ct);
                return Results.NoContent();
            case "terminate":
                await durable.TerminateInstanceAsync(id, "enough", ct);
                return Results.NoContent();
            case "suspend":
                await durable.SuspendInstanceAsync(id, "wait", ct);
                return Results.NoContent();
            case "resume":
                await durable.ResumeInstanceAsync(id, "go on", ct);
                return Results.NoContent();
            case "purge":
                return Results.Text($"{(await durable.PurgeInstanceAsync(id, ct)).PurgedInstanceCount}");
            default:
                return Results.BadRequest();
        }
    }
}
