using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace ViralEngine.Core.Outgoing;

/// <summary>
/// The only HTTP client for URLs that tenants choose (webhooks, agents): checked addresses, no redirects, proxies,
/// cookies or decompression, limited sizes and connections. The caller limits time, by cancellation.
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
            // A response that is not read to its end closes the connection instead of being drained.
            MaxResponseDrainSize = 0,
            // DNS changes, and a connection's address is checked only when it is opened.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
        });
        Client = new HttpClient(guard, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>
    /// Shared by all callers. Rejections are thrown as <see cref="OutgoingRefusedException"/>, possibly as an inner
    /// exception.
    /// </summary>
    public HttpClient Client { get; }

    /// <summary>The rules of <see cref="Client"/>, for checking a URL when it is configured.</summary>
    public UrlPolicy Urls { get; }

    /// <summary>Overrides the maximum size of this response.</summary>
    public static void LimitResponse(HttpRequestMessage request, long bytes) =>
        request.Options.Set(UrlGuard.ResponseLimit, bytes);

    /// <summary>Registers an observer for this request's response, called once its headers have arrived.</summary>
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

        public static readonly HttpRequestOptionsKey<Action<HttpResponseMessage>> Observer =
            new("ViralEngine.Observer");

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

        /// <summary>
        /// A connection closed right after it was opened surfaces as a bare exception, unlike all other failures.
        /// </summary>
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
