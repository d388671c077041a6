using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ViralEngine.Core.Idempotency;

namespace ViralEngine.Functions.Idempotency;

/// <summary>A result's response, held back from the client until the transaction has committed.</summary>
internal sealed class CapturedAnswer
{
    private readonly IHeaderDictionary headers;

    private CapturedAnswer(int status, IHeaderDictionary headers, byte[] body)
    {
        this.headers = headers;
        Status = status;
        Body = body;
    }

    public int Status { get; }

    public byte[] Body { get; }

    /// <summary>Whether the response has a <c>Retry-After</c> header.</summary>
    public bool AsksToComeBack => headers.RetryAfter.Count > 0;

    public bool IsSuccess => Status is (>= 200 and < 300) or StatusCodes.Status303SeeOther;

    /// <summary>Executes the result against the request's own context, with a buffered response.</summary>
    public static async Task<CapturedAnswer> OfAsync(IResult result, HttpContext http)
    {
        await using var body = new MemoryStream();
        var response = new HttpResponseFeature();
        var features = new FeatureCollection(http.Features);
        features.Set<IHttpResponseFeature>(response);
        features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(body));
        var apart = new DefaultHttpContext(features);
        await result.ExecuteAsync(apart);
        await apart.Response.CompleteAsync();
        return new CapturedAnswer(response.StatusCode, response.Headers, body.ToArray());
    }

    public StoredAnswer ToStored() => new(Status, headers.ContentType, headers.Location, Body);

    public async Task SendAsync(HttpContext http, CancellationToken ct)
    {
        foreach (var (name, value) in headers)
            http.Response.Headers[name] = value;
        await SendAsync(http, Status, Body, ct);
    }

    /// <summary>Sends a stored response again and marks it as replayed.</summary>
    public static async Task ReplayAsync(HttpContext http, StoredAnswer answer, CancellationToken ct)
    {
        var response = http.Response.Headers;
        response["x-idempotent-replayed"] = "true";
        if (answer.ContentType is not null)
            response.ContentType = answer.ContentType;
        if (answer.Location is not null)
            response.Location = answer.Location;
        await SendAsync(http, answer.Status, answer.Body, ct);
    }

    private static async Task SendAsync(HttpContext http, int status, byte[] body, CancellationToken ct)
    {
        http.Response.StatusCode = status;
        if (status is StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent)
            return;
        http.Response.ContentLength = body.Length;
        await http.Response.Body.WriteAsync(body, ct);
    }
}
