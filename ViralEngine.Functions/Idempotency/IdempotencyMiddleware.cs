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
/// draft-ietf-httpapi-idempotency-key-header. The endpoint runs inside a transaction, its answer is written in it, and only what
/// is committed is sent. Endpoints know nothing of it: they use the invocation's <see cref="Db"/>, leave to
/// <see cref="Db.AfterCommitAsync"/> what must wait, and answer by an <see cref="IResult"/>.
/// </summary>
/// <remarks>
/// Only successes (2xx) are kept. Whatever else an endpoint answers is rolled back, so there is no effect to protect: the key is
/// free again, and a later try is judged by what is true then (the resource that was not found may exist, the conflict be over).
/// </remarks>
internal sealed class IdempotencyMiddleware(EndpointCatalog endpoints, IdempotencyLeases leases) : IFunctionsWorkerMiddleware
{
    /// <summary>How much of a body is read that the endpoint has not looked at.</summary>
    private const long MostUnread = 1024 * 1024;

    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        var http = context.GetHttpContext()!;
        if (http.FindCaller() is not { } caller || !Covers(http.Request.Method) || IdempotencyKey.Read(http.Request) is not { } key)
        {
            await next(context);
            return;
        }

        var route = endpoints.Find(context.FunctionDefinition.Name)!.Route;
        var scope = new IdempotencyScope(caller.Tenant, caller.Principal, http.Request.Method, route, key);
        var store = context.InstanceServices.GetRequiredService<IdempotencyStore>();
        var body = new HashedBody(http.Request);
        http.Request.Body = body;
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

    /// <summary>Whether requests of this method take a key.</summary>
    public static bool Covers(string method) =>
        HttpMethods.IsPost(method) || HttpMethods.IsPut(method) || HttpMethods.IsPatch(method);

    private async Task RunAsync(
        FunctionContext context, FunctionExecutionDelegate next, IdempotencyStore store, IdempotencyScope scope, Guid token,
        HashedBody body)
    {
        var http = context.GetHttpContext()!;
        var db = context.InstanceServices.GetRequiredService<Db>();
        CapturedAnswer answer;
        try
        {
            await using var lease = leases.Keep(scope, token);
            await db.BeginAsync(context.CancellationToken);
            await next(context);
            answer = await CaptureAsync(context, http);
            if (answer.IsSuccess)
            {
                var fingerprint = await body.FinishAsync(body.ReadSoFar + MostUnread, context.CancellationToken)
                    ?? throw new ProblemException(TooLong());
                // A renewal would wait for the row that the answer locks, and this for the renewal.
                await lease.DisposeAsync();
                if (!await store.AnswerAsync(scope, token, fingerprint, answer.ToStored(), context.CancellationToken))
                    throw new ProblemException(InFlight());
            }
        }
        catch
        {
            await GiveUpAsync(db, store, scope, token);
            throw;
        }

        if (answer.IsSuccess)
            await db.CommitAsync(CancellationToken.None); // broken off, nobody would know whether it happened
        else
            await GiveUpAsync(db, store, scope, token);
        await answer.SendAsync(http, context.CancellationToken);
    }

    /// <summary>The endpoint's result, written aside; it must not be executed again when the middleware has returned.</summary>
    private static async Task<CapturedAnswer> CaptureAsync(FunctionContext context, HttpContext http)
    {
        var invocation = context.GetInvocationResult();
        if (invocation.Value is not IResult result)
        {
            throw new InvalidOperationException(
                $"{context.FunctionDefinition.Name} must answer by an IResult: what it writes itself is out before it is committed.");
        }

        invocation.Value = null;
        return await CapturedAnswer.OfAsync(result, http);
    }

    private static async Task GiveUpAsync(Db db, IdempotencyStore store, IdempotencyScope scope, Guid token)
    {
        await db.RollbackAsync();
        await store.ReleaseAsync(scope, token, CancellationToken.None);
    }

    private static async Task ReplayAsync(
        HttpContext http, HashedBody body, Fingerprint first, StoredAnswer answer, CancellationToken ct)
    {
        var again = await body.FinishAsync(first.BodyLength, ct);
        if (again is null || !again.Hash.AsSpan().SequenceEqual(first.Hash))
        {
            throw new ProblemException(new Problem(
                422, "idempotency-key-reused", "The Idempotency-Key was used for another request.",
                "A key stands for one request: the same method, path, query and body. Take a new key for a new request."));
        }

        await CapturedAnswer.ReplayAsync(http, answer, ct);
    }

    private static Problem InFlight() => new(
        409, "idempotency-key-in-flight", "A request with this Idempotency-Key is being worked on.",
        "Ask again with the same key for its answer.")
    {
        RetryAfter = 1,
    };

    private static Problem TooLong() => new(
        413, "body-too-large", "The body is too large.", "This call reads no body, or less than was sent.");
}
