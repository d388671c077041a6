using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace ViralEngine.LocalHost.Http;

/// <summary>
/// The one key of this host: the master key, by setting <c>LocalHost:MasterKey</c>. Required for functions above the
/// anonymous level and admin routes; without one, nobody has access.
/// </summary>
internal sealed class FunctionKey(IConfiguration settings)
{
    private readonly byte[] master = Encoding.UTF8.GetBytes(settings["LocalHost:MasterKey"] ?? "");

    public bool Exists => master.Length > 0;

    public bool Opens(HttpRequest request) =>
        Exists && CryptographicOperations.FixedTimeEquals(
            master, Encoding.UTF8.GetBytes(request.Headers["x-functions-key"].ToString()));
}
