using System.Globalization;
using System.Net;
using System.Net.ServerSentEvents;

namespace ViralEngine.Torture.Load;

/// <summary>
/// Readers of streams who leave now and then, and come back at another instance with the number of the last event they
/// have.
/// </summary>
internal sealed class StreamReaders(Client client, Recorder recorder)
{
    /// <summary>Streams say something every 15 s: what is silent for longer is gone.</summary>
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(25);

    public async Task ReadAsync(Tenant tenant, Guid task, string kind, CancellationToken over)
    {
        var stream = new ReadStream(tenant, task, kind);
        recorder.Streams.Enqueue(stream);
        while (!stream.IsWhole && !over.IsCancellationRequested)
        {
            await ReadSomeAsync(stream, over);
            if (!stream.IsWhole)
                await Task.Delay(Random.Shared.Next(50, 500), over).ConfigureAwait(
                    ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ReadSomeAsync(ReadStream stream, CancellationToken over)
    {
        var after = stream.Events.Count > 0 ? stream.Events[^1].Id : 0;
        using var response = await client.OpenStreamAsync(
            stream.Tenant, $"/api/tasks/{stream.Task}/{stream.Kind}", after, over);
        if (response is null)
            return;
        stream.Connections++;
        if (response.StatusCode == HttpStatusCode.NoContent)
        {
            stream.IsWhole = true; // it has ended, and the reader has it all
            return;
        }

        if (response.StatusCode != HttpStatusCode.OK)
        {
            if (response.StatusCode
                is HttpStatusCode.NotFound or HttpStatusCode.InternalServerError or HttpStatusCode.BadRequest)
                recorder.Wonder($"the {stream.Kind} of {stream.Task} was answered {(int)response.StatusCode}");
            return;
        }

        using var silence = CancellationTokenSource.CreateLinkedTokenSource(over);
        silence.CancelAfter(LongestSilence);
        var left = Random.Shared.Next(2) == 0 ? Random.Shared.Next(1, 20) : int.MaxValue;
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(silence.Token);
            await foreach (var item in SseParser.Create(body).EnumerateAsync(silence.Token))
            {
                silence.CancelAfter(LongestSilence);
                stream.Events.Add(
                    (int.Parse(item.EventId ?? "-1", CultureInfo.InvariantCulture), item.EventType, item.Data));
                if (--left <= 0)
                    return;
            }

            // Whether that was the end or a connection that closed well, the next look tells.
        }
        catch (Exception e) when (Client.IsNoAnswer(e))
        {
            // It comes back.
        }
    }
}
