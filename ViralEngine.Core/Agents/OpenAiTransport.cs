using System.ClientModel.Primitives;
using ViralEngine.Core.Outgoing;

namespace ViralEngine.Core.Agents;

/// <summary>Sends the OpenAI client's requests through the guarded client, with the credentials where the provider wants them.</summary>
internal sealed class OpenAiTransport(HttpClient client, OpenAiSettings settings, string? apiKey, long maxResponseBytes)
    : HttpClientPipelineTransport(client)
{
    protected override void OnSendingRequest(PipelineMessage message, HttpRequestMessage httpRequest)
    {
        OutgoingHttp.LimitResponse(httpRequest, maxResponseBytes);

        if (apiKey is null || settings.Preset.KeyHeader is not null)
            httpRequest.Headers.Authorization = null;
        if (apiKey is not null && settings.Preset.KeyHeader is { } header)
            httpRequest.Headers.TryAddWithoutValidation(header, apiKey);

        if (settings.ApiVersion is { } version && httpRequest.RequestUri is { } url)
            httpRequest.RequestUri = new UriBuilder(url) { Query = $"api-version={version}" }.Uri;
    }
}
