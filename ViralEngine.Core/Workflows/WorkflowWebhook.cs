using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Npgsql;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Outgoing;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Texts;
using ViralEngine.Core.Workflows.Execution;

namespace ViralEngine.Core.Workflows;

/// <summary>
/// Makes the HTTP call of a webhook step and stores its outcome. After a crash in between, the call is repeated with
/// the same
/// <c>Idempotency-Key</c>, by which the receiver detects it. After a few such repetitions, the attempt has failed.
/// </summary>
public sealed partial class WorkflowWebhook(
    Db db, OutgoingHttp outgoing, TimeProvider time, ILogger<WorkflowWebhook> logger)
{
    private const int MaxCalls = 3;
    private const long MaxResponseBytes = 256 * 1024;
    private const int MaxDepth = 32;
    private static readonly TimeSpan MaxRetryAfter = TimeSpan.FromHours(1);

    /// <summary>Does nothing if the attempt is over.</summary>
    public async Task RunAsync(TenantId tenant, Guid workflowId, WorkflowWork work, CancellationToken ct)
    {
        var begun = await db.QueryOneAsync(
            tenant,
            """
            UPDATE viral.workflow_steps
            SET calls = calls + 1
            WHERE tenant_id = $1 AND workflow_id = $2 AND step_id = $3 AND kind = $4 AND run = $5 AND attempt = $6
              AND status = 'in_progress' AND request IS NOT NULL AND result IS NULL
            RETURNING request::text, calls
            """,
            [tenant.Value, workflowId, work.StepId, work.Kind.ToText(), work.Run, work.Attempt],
            row => ((string Request, int Calls)?)(row.GetString(0), row.GetInt32(1)),
            ct);
        if (begun is not var (request, calls))
            return;

        var outcome = calls > MaxCalls
            ? Failed(
                ErrorClass.Internal,
                $"The call was made {MaxCalls} times, and its result could not be stored each time.")
            : await TryAsync(request, workflowId, work, ct);
        try
        {
            await StoreAsync(tenant, workflowId, work, outcome);
        }
        catch (PostgresException e) when (!DatabaseAway.Explains(e))
        {
            LogFault(logger, e, work.StepId, workflowId);
            await StoreAsync(
                tenant, workflowId, work,
                Failed(ErrorClass.Internal, $"The response could not be stored (SQLSTATE {e.SqlState})."));
        }
    }

    private async Task<WebhookOutcome> TryAsync(
        string request, Guid workflowId, WorkflowWork work, CancellationToken ct)
    {
        try
        {
            return await CallAsync(
                JsonSerializer.Deserialize(request, WorkflowJson.Default.WebhookCall)!, workflowId, work, ct);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // If rethrown, it would look like a dead process, and the call would be repeated forever.
            LogFault(logger, e, work.StepId, workflowId);
            return Failed(ErrorClass.Internal, $"The call failed with an internal error ({e.GetType().Name}).");
        }
    }

    private Task<int> StoreAsync(TenantId tenant, Guid workflowId, WorkflowWork work, WebhookOutcome outcome) =>
        db.ExecuteAsync(
            tenant,
            """
            UPDATE viral.workflow_steps
            SET result = $7::json
            WHERE tenant_id = $1 AND workflow_id = $2 AND step_id = $3 AND kind = $4 AND run = $5 AND attempt = $6
              AND status = 'in_progress' AND request IS NOT NULL AND result IS NULL
            """,
            [
                tenant.Value, workflowId, work.StepId, work.Kind.ToText(), work.Run, work.Attempt,
                JsonSerializer.Serialize(outcome, WorkflowJson.Default.WebhookOutcome),
            ],
            CancellationToken.None);

    private async Task<WebhookOutcome> CallAsync(
        WebhookCall call, Guid workflowId, WorkflowWork work, CancellationToken ct)
    {
        if (outgoing.Urls.Check(call.Url) is { } fault)
            return Failed(ErrorClass.Refused, $"The URL cannot be called. {fault}");
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(call.TimeoutSeconds), time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        try
        {
            using var request = RequestOf(call, workflowId, work);
            OutgoingHttp.LimitResponse(request, MaxResponseBytes);
            using var response = await outgoing.Client.SendAsync(
                request, HttpCompletionOption.ResponseHeadersRead, linked.Token);
            var body = await response.Content.ReadAsByteArrayAsync(linked.Token);
            return response.IsSuccessStatusCode ? Answered(response, body) : Refused(response);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return Failed(ErrorClass.Timeout, $"No complete response within {call.TimeoutSeconds} s.");
        }
        catch (Exception e)
            when (e is HttpRequestException or IOException or OutgoingRefusedException or ResponseTooLargeException)
        {
            return e switch
            {
                _ when Has<OutgoingRefusedException>(e) =>
                    Failed(ErrorClass.Refused, "The URL points to an address that outgoing calls must not reach."),
                _ when Has<ResponseTooLargeException>(e) =>
                    Failed(ErrorClass.TooLarge, $"The response is larger than {MaxResponseBytes:N0} bytes."),
                _ => Failed(
                    ErrorClass.Unavailable,
                    "The URL could not be reached, or closed the connection before its response was complete."),
            };
        }
    }

    private static HttpRequestMessage RequestOf(WebhookCall call, Guid workflowId, WorkflowWork work)
    {
        var request = new HttpRequestMessage(new HttpMethod(call.Method), call.Url);
        if (call.Body is not null)
            request.Content = new StringContent(call.Body, Encoding.UTF8, "application/json");
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("viral-engine", null));
        foreach (var (name, value) in call.Headers)
        {
            request.Headers.Remove(name);
            request.Headers.TryAddWithoutValidation(name, value);
        }

        request.Headers.TryAddWithoutValidation(
            "Idempotency-Key",
            string.Create(
                CultureInfo.InvariantCulture,
                $"{workflowId}-{work.Kind.ToText()}-{work.StepId}-{work.Run}-{work.Attempt}"));
        return request;
    }

    private static WebhookOutcome Answered(HttpResponseMessage response, byte[] body)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteNumber("status", (int)response.StatusCode);
            writer.WritePropertyName("body");
            WriteBody(writer, body);
            writer.WriteEndObject();
        }

        return new WebhookOutcome(JsonElement.Parse(buffer.ToArray()), null, null, null);
    }

    private static void WriteBody(Utf8JsonWriter writer, byte[] body)
    {
        if (body.Length == 0)
            writer.WriteNullValue();
        else if (OutsideJson.TryParse(body, out var json, MaxDepth))
            json.WriteTo(writer);
        else
            writer.WriteStringValue(OutsideText.Of(body));
    }

    private WebhookOutcome Refused(HttpResponseMessage response)
    {
        var status = (int)response.StatusCode;
        var errorClass = status switch
        {
            401 or 403 => ErrorClass.Unauthorized,
            408 => ErrorClass.Timeout,
            429 => ErrorClass.RateLimited,
            409 or 425 or >= 500 => ErrorClass.Unavailable,
            _ => ErrorClass.InvalidRequest,
        };
        var wait = RetryAfterHeader.Of(response, time.GetUtcNow());
        var message = $"The URL answered {status} {response.ReasonPhrase}".TrimEnd();
        if (status is >= 300 and < 400)
            message += "; redirects are not followed";
        return Failed(errorClass, message + ".") with
        {
            RetryAfterSeconds = wait is null
                ? null
                : Math.Clamp(wait.Value.TotalSeconds, 0, MaxRetryAfter.TotalSeconds),
        };
    }

    private static bool Has<T>(Exception e)
        where T : Exception => e is T || (e.InnerException is { } inner && Has<T>(inner));

    private static WebhookOutcome Failed(ErrorClass errorClass, string message) =>
        new(null, errorClass.ToApiName(), OutsideText.Of(message), null);

    [LoggerMessage(
        1, LogLevel.Error,
        "Workflow {WorkflowId}: the call of step {StepId} failed with an unexpected error; the step fails")]
    private static partial void LogFault(ILogger logger, Exception exception, string stepId, Guid workflowId);
}
