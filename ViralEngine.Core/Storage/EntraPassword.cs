using Azure.Core;
using Npgsql;

namespace ViralEngine.Core.Storage;

/// <summary>
/// Signs in to PostgreSQL with a token of an Entra identity instead of a password. The user name is the identity's
/// name.
/// </summary>
public static class EntraPassword
{
    /// <summary>The resource that a token for PostgreSQL is for.</summary>
    internal static readonly TokenRequestContext Scope = new(["https://ossrdbms-aad.database.windows.net/.default"]);

    // The credential renews its token five minutes before it expires, so that asking every two minutes is free and
    // never leaves the pool with an expiring token.
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan PeriodAfterFailure = TimeSpan.FromSeconds(5);

    /// <summary>New connections use the newest token; open ones stay open after it expires.</summary>
    public static NpgsqlDataSourceBuilder UseEntraPassword(
        this NpgsqlDataSourceBuilder builder, TokenCredential credential) =>
        builder.UseEntraPassword(credential, Period, PeriodAfterFailure);

    internal static NpgsqlDataSourceBuilder UseEntraPassword(
        this NpgsqlDataSourceBuilder builder, TokenCredential credential, TimeSpan period, TimeSpan periodAfterFailure)
    {
        builder.UsePeriodicPasswordProvider(
            async (_, ct) => (await credential.GetTokenAsync(Scope, ct)).Token, period, periodAfterFailure);
        return builder;
    }
}
