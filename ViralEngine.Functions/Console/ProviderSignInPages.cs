using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Core.SignIn;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Console;

/// <summary>Redirects to the OpenID Connect provider for sign-in, and handles the response.</summary>
internal sealed class ProviderSignInPages(
    ProviderSignIn provider, SessionStart start, AttemptCookie attempts, SignInPages signIn, PublicAddress address)
{
    private const string Callback = SignInPages.Address + "/callback";

    [Function("ConsoleProviderSignIn"), WaitsForOthers]
    public async Task<IResult> BeginAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/sign-in/provider")]
        HttpRequest request,
        CancellationToken ct)
    {
        if (provider.Name is not { } name)
            return Problem.NotFound("provider");
        var back = SignInPages.LocalAddress(request.Query["return"]);
        var attempt = SignInAttempt.New(address.Of(request) + Callback);
        if (await provider.AddressAsync(attempt, ct) is not { } there)
            return await signIn.ShowAsync(request, back, $"{name} cannot be reached. Try again in a moment.", ct, 502);
        attempts.Set(request.HttpContext, attempt, back);
        return new SeeOther(there, null);
    }

    [Function("ConsoleProviderCallback"), WaitsForOthers]
    public async Task<IResult> FinishAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/sign-in/callback")]
        HttpRequest request,
        CancellationToken ct)
    {
        if (provider.Name is null)
            return Problem.NotFound("provider");
        if (attempts.Take(request.HttpContext) is not { } begun)
            return await signIn.ShowAsync(
                request, "", "This sign-in started in another browser or took too long. Sign in again.", ct, 400);
        return await provider.FinishAsync(begun.Attempt, AnswerIn(request.Query), ct) switch
        {
            ProviderSignIn.Outcome.SignedIn(var tokens) => await GoOnAsync(request, tokens, begun.Return, ct),
            ProviderSignIn.Outcome.NotFinished(var fault) => await signIn.ShowAsync(
                request, begun.Return, fault, ct, 400),
            ProviderSignIn.Outcome.ProviderFailed(var fault) => await signIn.ShowAsync(
                request, begun.Return, fault, ct, 502),
            var outcome => throw new InvalidOperationException($"Unknown outcome {outcome}."),
        };
    }

    /// <summary>Not a redirect, because the session cookie is not sent with the provider's cross-site visit.</summary>
    private async Task<IResult> GoOnAsync(HttpRequest request, ProviderTokens tokens, string back, CancellationToken ct)
    {
        var (there, fault) = await start.BeginAsync(request.HttpContext, tokens, back, ct);
        return there is null ? await signIn.ShowAsync(request, back, fault, ct, 400) : new Onward(there);
    }

    private static SignInAnswer AnswerIn(IQueryCollection query) => new(
        query["state"], query["code"], query["iss"], query["error"], query["error_description"]);
}
