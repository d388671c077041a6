using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace ViralEngine.Core.Outgoing;

/// <summary>
/// The one way out for calls to addresses that tenants chose (webhooks, agents): checked addresses, no redirects, no proxy,
/// no cookies, no decompression, capped sizes and connections. Time is the caller's to cap, by cancellation.
/// </summary>
public sealed class OutgoingHttp : IDisposable
{
    private readonly UrlGuard guard;

    public OutgoingHttp(IOptions<OutgoingOptions> outgoing, HostResolver? resolve = null)
    {
        var options = outgoing.Value;
        var addresses = new AddressPolicy(options);
        var connector = new GuardedConnector(addresses, resolve ?? Dns.GetHostAddressesAsync);
        Urls = new UrlPolicy(addresses);
        guard = new UrlGuard(Urls, options.MaxResponseBytes, new SocketsHttpHandler
        {
            ConnectCallback = connector.ConnectAsync,
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = TimeSpan.FromSeconds(options.ConnectTimeoutSeconds),
            MaxConnectionsPerServer = options.MaxConnectionsPerHost,
            MaxResponseHeadersLength = 64,
            // An answer we stop reading is cut off, not read to its end to save the connection.
            MaxResponseDrainSize = 0,
            // Names move; a connection's address was checked only when it was made.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
        });
        Client = new HttpClient(guard, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Shared by all callers. Refusals come as <see cref="OutgoingRefusedException"/>, also as inner exception.</summary>
    public HttpClient Client { get; }

    /// <summary>The rules that <see cref="Client"/> keeps, for checking a URL when it is configured.</summary>
    public UrlPolicy Urls { get; }

    /// <summary>Sets how much of this answer is read, instead of what the settings say.</summary>
    public static void LimitResponse(HttpRequestMessage request, long bytes) =>
        request.Options.Set(UrlGuard.ResponseLimit, bytes);

    /// <summary>Has the answer to this request shown to somebody as its headers come.</summary>
    public static void Observe(HttpRequestMessage request, Action<HttpResponseMessage>? observer)
    {
        if (observer is not null)
            request.Options.Set(UrlGuard.Observer, observer);
    }

    public void Dispose()
    {
        Client.Dispose();
        guard.Dispose();
    }

    private sealed class UrlGuard(UrlPolicy urls, long maxResponseBytes, HttpMessageHandler inner)
        : DelegatingHandler(inner)
    {
        public static readonly HttpRequestOptionsKey<long> ResponseLimit = new("ViralEngine.ResponseLimit");

        public static readonly HttpRequestOptionsKey<Action<HttpResponseMessage>> Observer = new("ViralEngine.Observer");

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken ct)
        {
            if (request.RequestUri is not { } uri || urls.Check(uri) is not null)
                throw new OutgoingRefusedException(request.RequestUri?.Host ?? "(no host)");

            var response = await AnswerAsync(request, ct);
            if (request.Options.TryGetValue(Observer, out var observer))
                observer(response);
            var limit = request.Options.TryGetValue(ResponseLimit, out var asked) ? asked : maxResponseBytes;
            response.Content = new LimitedContent(response.Content, limit);
            return response;
        }

        /// <summary>A connection that ends as soon as it was made comes bare out of the handler, unlike every other.</summary>
        private async Task<HttpResponseMessage> AnswerAsync(HttpRequestMessage request, CancellationToken ct)
        {
            try
            {
                return await base.SendAsync(request, ct);
            }
            catch (SocketException e)
            {
                throw new HttpRequestException(HttpRequestError.ConnectionError, e.Message, e);
            }
        }
    }
}
