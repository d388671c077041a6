using Azure.Core;
using Npgsql;

namespace ViralEngine.Core.Storage;

/// <summary>
/// Signs in to PostgreSQL with a token of an Entra identity in place of a password. The login's name is the identity's.
/// </summary>
public static class EntraPassword
{
    /// <summary>The resource that a token for PostgreSQL is for.</summary>
    internal static readonly TokenRequestContext Scope = new(["https://ossrdbms-aad.database.windows.net/.default"]);

    // The credential keeps its token until five minutes before it ends and asks for a new one then, so a look every two
    // minutes costs nothing and never leaves the pool with a token that is about to end.
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan PeriodAfterFailure = TimeSpan.FromSeconds(5);

    /// <summary>Connections opened from now on carry the newest token; those that are open stay open past its end.</summary>
    public static NpgsqlDataSourceBuilder UseEntraPassword(this NpgsqlDataSourceBuilder builder, TokenCredential credential) =>
        builder.UseEntraPassword(credential, Period, PeriodAfterFailure);

    internal static NpgsqlDataSourceBuilder UseEntraPassword(
        this NpgsqlDataSourceBuilder builder, TokenCredential credential, TimeSpan period, TimeSpan periodAfterFailure)
    {
        builder.UsePeriodicPasswordProvider(
            async (_, ct) => (await credential.GetTokenAsync(Scope, ct)).Token, period, periodAfterFailure);
        return builder;
    }
}
