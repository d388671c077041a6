using System.Text;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using ViralEngine.Core.Organizations;

namespace ViralEngine.Dev;

/// <summary>Prints a token of the development issuer, which an app with the same shared key accepts.</summary>
internal static class TokenCommand
{
    public static int Run(CommandOptions options, TimeProvider time)
    {
        Console.WriteLine(Create(
            options.Get("subject", DemoCommand.Subject), options.Get("audience", new AuthOptions().Audience),
            TimeSpan.FromMinutes(options.GetNumber("minutes", 60)), time));
        return 0;
    }

    public static string Create(string subject, string audience, TimeSpan lifetime, TimeProvider time)
    {
        var key = Encoding.UTF8.GetBytes(CommandOptions.RequireSecret("Auth__JwtSharedKey"));
        var now = time.GetUtcNow().UtcDateTime;
        return new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
        {
            Issuer = TokenValidator.DevelopmentIssuer,
            Audience = audience,
            Claims = new Dictionary<string, object> { ["sub"] = subject },
            IssuedAt = now,
            NotBefore = now,
            Expires = now + lifetime,
            SigningCredentials = new SigningCredentials(new SymmetricSecurityKey(key), SecurityAlgorithms.HmacSha256),
        });
    }
}
