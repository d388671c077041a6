using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.DependencyInjection;
using ViralEngine.Core.Idempotency;
using ViralEngine.Core.Storage;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Idempotency;

/// <summary>
/// Makes every POST, PUT and PATCH that has an <c>Idempotency-Key</c> take effect once, after
/// draft-ietf-httpapi-idempotency-key-header. The endpoint runs inside a transaction that also stores its response, and
/// only what is committed is sent. Endpoints are unaware of it: they use the invocation's <see cref="Db"/>, pass what
/// must wait to <see cref="Db.AfterCommitAsync"/>, and return an
/// <see cref="IResult"/>. The body is received first, under the claim alone. An endpoint that waits for others
/// (<see cref="WaitsForOthersAttribute"/>) runs outside the transaction; its last own transaction is joined.
/// </summary>
/// <remarks>
/// Responses of executed requests are stored: successes with their effect, and 404, 409 and 422 without Retry-After,
/// whose transaction is rolled back. Requests that are unauthorized, rate-limited or invalid, or that meet a server
/// error, were not executed: their key is released.
/// </remarks>
internal sealed class IdempotencyMiddleware(
    EndpointCatalog endpoints, IdempotencyLeases leases, TenantShares shares, BodyReceiver bodies)
    : IFunctionsWorkerMiddleware
{
    /// <summary>How much of a streamed body is read after the endpoint has stopped reading.</summary>
    private const long MaxUnread = 1024 * 1024;

    private readonly HashSet<string> waiting = WaitsForOthersAttribute.FunctionsIn(endpoints);

    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        var http = context.GetHttpContext()!;
        if (http.FindCaller() is not { } caller || !Covers(http.Request.Method)
            || IdempotencyKey.Read(http.Request) is not { } key)
        {
            await next(context);
            return;
        }

        var route = endpoints.Find(context.FunctionDefinition.Name)!.Route;
        var scope = new IdempotencyScope(caller.Tenant, caller.Principal, http.Request.Method, route, key);
        var store = context.InstanceServices.GetRequiredService<IdempotencyStore>();
        var body = bodies.Open(http);
        switch (await store.ClaimAsync(scope, context.CancellationToken))
        {
            case IdempotencyStore.Claim.Taken(var token):
                await RunAsync(context, next, store, scope, token, body);
                break;
            case IdempotencyStore.Claim.Answered(var fingerprint, var answer):
                await ReplayAsync(http, body, fingerprint, answer, context.CancellationToken);
                break;
            default:
                throw new ProblemException(InFlight());
        }
    }

    /// <summary>Whether requests with this method accept a key.</summary>
    public static bool Covers(string method) =>
        HttpMethods.IsPost(method) || HttpMethods.IsPut(method) || HttpMethods.IsPatch(method);

    private async Task RunAsync(
        FunctionContext context, FunctionExecutionDelegate next, IdempotencyStore store, IdempotencyScope scope,
        Guid token,
        IncomingBody body)
    {
        var http = context.GetHttpContext()!;
        var db = context.InstanceServices.GetRequiredService<Db>();
        var waits = waiting.Contains(context.FunctionDefinition.Name);
        CapturedAnswer answer;
        try
        {
            await using var lease = leases.Keep(scope, token);
            await bodies.ReceiveAsync(http, context.FunctionDefinition.Name, context.CancellationToken);
            using var turn = waits
                ? null
                : await shares.TakeAsync(scope.Tenant, ShareKind.Transaction, context.CancellationToken);
            if (waits)
                db.HoldCommit();
            else
                await db.BeginAsync(context.CancellationToken);
            answer = await AnswerOfAsync(context, next, http);
            if (IsKept(answer))
            {
                var fingerprint = await body.FinishAsync(body.Position + MaxUnread, context.CancellationToken)
                    ?? throw new ProblemException(TooLong());
                // A rejected request has no effect: its changes are rolled back, and only the response is stored.
                if (!answer.IsSuccess || !db.InTransaction)
                {
                    await db.RollbackAsync();
                    await db.BeginAsync(context.CancellationToken);
                }

                // Storing the response locks the row that a renewal waits for: a deadlock.
                await lease.DisposeAsync();
                if (!await store.AnswerAsync(scope, token, fingerprint, answer.ToStored(), context.CancellationToken))
                    throw new ProblemException(InFlight());
                await db.CommitAsync(CancellationToken.None); // a cancelled commit may or may not have happened
            }
        }
        catch
        {
            await GiveUpAsync(db, store, scope, token);
            throw;
        }

        if (!IsKept(answer))
            await GiveUpAsync(db, store, scope, token);
        await answer.SendAsync(http, context.CancellationToken);
    }

    private static bool IsKept(CapturedAnswer answer) => IsKept(answer.Status, answer.AsksToComeBack);

    private static bool IsKept(int status, bool asksToComeBack) =>
        !asksToComeBack && status is (>= 200 and < 300) or 303 or 404 or 409 or 410 or 422;

    /// <summary>The endpoint's response, captured, including a problem that it throws.</summary>
    private static async Task<CapturedAnswer> AnswerOfAsync(
        FunctionContext context, FunctionExecutionDelegate next, HttpContext http)
    {
        try
        {
            await next(context);
        }
        catch (ProblemException e) when (IsKept(e.Problem.Status, e.Problem.RetryAfter is not null))
        {
            return await CapturedAnswer.OfAsync(e.Problem, http);
        }

        return await CaptureAsync(context, http);
    }

    /// <summary>
    /// Captures the endpoint's result, which must not be executed again after the middleware has returned.
    /// </summary>
    private static Task<CapturedAnswer> CaptureAsync(FunctionContext context, HttpContext http) =>
        context.TakeResult() is { } result
            ? CapturedAnswer.OfAsync(result, http)
            : throw new InvalidOperationException(
                $"{context.FunctionDefinition.Name} must return an IResult: "
                + "what it writes itself is sent before the commit.");

    private static async Task GiveUpAsync(Db db, IdempotencyStore store, IdempotencyScope scope, Guid token)
    {
        await db.RollbackAsync();
        await store.ReleaseAsync(scope, token, CancellationToken.None);
    }

    private static async Task ReplayAsync(
        HttpContext http, IncomingBody body, Fingerprint first, StoredAnswer answer, CancellationToken ct)
    {
        var again = await body.FinishAsync(first.BodyLength, ct);
        if (again is null || !again.Hash.AsSpan().SequenceEqual(first.Hash))
        {
            throw new ProblemException(new Problem(
                422, "idempotency-key-reused", "The Idempotency-Key was used for a different request.",
                "A key identifies one request: the same method, path, query and body. "
                + "Use a new key for a new request."));
        }

        await CapturedAnswer.ReplayAsync(http, answer, ct);
    }

    private static Problem InFlight() => new(
        409, "idempotency-key-in-flight", "A request with this Idempotency-Key is in progress.",
        "Retry with the same key to get its response.")
    {
        RetryAfter = 1,
    };

    private static Problem TooLong() => new(
        413, "body-too-large", "The body is too large.", "This endpoint takes no body, or a smaller one.");
}
