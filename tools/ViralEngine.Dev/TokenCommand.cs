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
        var key = Encoding.UTF8.GetBytes(CommandOptions.RequireSecret("Auth__JwtSharedKey"));
        var now = time.GetUtcNow().UtcDateTime;
        var token = new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
        {
            Issuer = TokenValidator.DevelopmentIssuer,
            Audience = options.Get("audience", new AuthOptions().Audience),
            Claims = new Dictionary<string, object> { ["sub"] = options.Get("subject", DemoCommand.Subject) },
            IssuedAt = now,
            NotBefore = now,
            Expires = now.AddMinutes(options.GetNumber("minutes", 60)),
            SigningCredentials = new SigningCredentials(new SymmetricSecurityKey(key), SecurityAlgorithms.HmacSha256),
        });
        Console.WriteLine(token);
        return 0;
    }
}
