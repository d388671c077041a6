using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ViralEngine.Core.Secrets;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.SignIn;

/// <summary>
/// Redeems each refresh token once, for all requests and instances: a provider that sees one twice assumes theft and
/// ends the session (RFC
/// 9700, section 4.14). The first request asks the provider; concurrent and late ones get the same result.
/// </summary>
public sealed class SessionRefresh(Db db, ProviderSignIn provider, SecretBox box, TimeProvider time)
{
    private const string Purpose = "session refresh";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public abstract record Outcome
    {
        public sealed record Refreshed(ProviderTokens Tokens) : Outcome;

        /// <summary>The provider has ended the session.</summary>
        public sealed record Ended : Outcome;

        /// <summary>Refreshing failed for now; the old token is used until it expires.</summary>
        public sealed record Later : Outcome;
    }

    public async Task<Outcome> RunAsync(string refreshToken, CancellationToken ct)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(refreshToken));
        if (!await ClaimAsync(hash, ct))
            return await WaitAsync(hash, ct);
        // The provider accepts the token once, so wait for its response even if the client disconnects.
        switch (await provider.RefreshAsync(refreshToken, CancellationToken.None))
        {
            case ProviderSignIn.Outcome.SignedIn(var tokens):
                await StoreAsync(hash, tokens);
                return new Outcome.Refreshed(tokens);
            case ProviderSignIn.Outcome.NotFinished:
                await ForgetAsync(hash);
                return new Outcome.Ended();
            default:
                await ForgetAsync(hash);
                return new Outcome.Later();
        }
    }

    /// <summary>A claim outlives the longest wait for the provider. Claims left by a crash are taken over.</summary>
    private async Task<bool> ClaimAsync(byte[] hash, CancellationToken ct) =>
        await db.ExecuteAsync(
            DbScope.AllTenants,
            """
            WITH past AS (
                DELETE FROM viral.session_refreshes
                WHERE began_at < now() - interval '10 minutes' AND token_hash <> $1
            )
            INSERT INTO viral.session_refreshes AS refresh (token_hash)
            VALUES ($1)
            ON CONFLICT (token_hash) DO UPDATE SET began_at = now()
            WHERE refresh.tokens IS NULL AND refresh.began_at < now() - interval '30 seconds'
            """,
            [hash],
            ct) == 1;

    private async Task<Outcome> WaitAsync(byte[] hash, CancellationToken ct)
    {
        var start = time.GetTimestamp();
        while (time.GetElapsedTime(start) < Patience)
        {
            var found = await db.QueryAsync(
                DbScope.AllTenants,
                "SELECT tokens FROM viral.session_refreshes WHERE token_hash = $1",
                [hash],
                row => row.IsDBNull(0) ? null : row.GetFieldValue<byte[]>(0),
                ct);
            if (found is [])
                break;
            if (found[0] is { } tokens)
                return new Outcome.Refreshed(
                    JsonSerializer.Deserialize<ProviderTokens>(box.Open(Guid.Empty, Purpose, tokens))!);
            await Task.Delay(TimeSpan.FromMilliseconds(50), time, ct);
        }

        return new Outcome.Later();
    }

    private Task<int> StoreAsync(byte[] hash, ProviderTokens tokens) =>
        db.ExecuteAsync(
            DbScope.AllTenants,
            "UPDATE viral.session_refreshes SET tokens = $2 WHERE token_hash = $1",
            [hash, box.Seal(Guid.Empty, Purpose, JsonSerializer.Serialize(tokens))],
            CancellationToken.None);

    private Task<int> ForgetAsync(byte[] hash) =>
        db.ExecuteAsync(
            DbScope.AllTenants, "DELETE FROM viral.session_refreshes WHERE token_hash = $1", [hash],
            CancellationToken.None);
}
