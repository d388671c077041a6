using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using ViralEngine.Testing;

namespace ViralEngine.Bench;

/// <summary>
/// A model's provider for measurements, in a process of its own: answers token by token as an event stream, in a time
/// that is log-normally distributed around the mean asked for, and refuses what goes beyond a rate.
/// </summary>
internal static class SlowProvider
{
    /// <summary>How the program is called to be it.</summary>
    public const string Command = "provider";

    private const int Tokens = 50;
    private const double Spread = 0.1;
    private static readonly ReadOnlyMemory<byte> Token = Encoding.UTF8.GetBytes("data: token \n\n");
    private static readonly ReadOnlyMemory<byte> End =
        Encoding.UTF8.GetBytes(
            "event: usage\ndata: {\"input_tokens\":20,\"output_tokens\":50}\n\nevent: done\ndata: {}\n\n");

    /// <summary>Serves until it is killed; the first line it writes is its address.</summary>
    public static async Task ServeAsync()
    {
        await using var server = await LoopbackServer.StartAsync(AnswerAsync);
        Console.WriteLine(server.Url);
        await Task.Delay(Timeout.Infinite);
    }

    private static Task AnswerAsync(HttpContext http) => http.Request.Path.Value switch
    {
        "/rate" => SetRateAsync(http),
        "/counts" => http.Response.WriteAsync(Rate.Counts()),
        _ => StreamAsync(http),
    };

    private static Task SetRateAsync(HttpContext http)
    {
        Rate.PerMinute = int.Parse(http.Request.Query["rpm"].ToString(), CultureInfo.InvariantCulture);
        return Task.CompletedTask;
    }

    private static async Task StreamAsync(HttpContext http)
    {
        await http.Request.Body.CopyToAsync(Stream.Null);
        if (!Rate.Admits())
        {
            http.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            http.Response.Headers.RetryAfter = "1";
            return;
        }

        var mean = double.Parse(http.Request.Query["seconds"].ToString(), CultureInfo.InvariantCulture);
        // Mean of a log-normal distribution: exp(mu + sigma²/2).
        var latency = mean * Math.Exp((Spread * Normal()) - (Spread * Spread / 2));
        http.Response.ContentType = "text/event-stream";
        await http.Response.StartAsync();
        await http.Response.Body.FlushAsync();
        var began = TimeProvider.System.GetTimestamp();
        for (var i = 1; i <= Tokens; i++)
        {
            var wait = TimeSpan.FromSeconds(latency * i / Tokens) - TimeProvider.System.GetElapsedTime(began);
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait);
            await http.Response.Body.WriteAsync(Token);
        }

        await http.Response.Body.WriteAsync(End);
    }

    private static double Normal() =>
        Math.Sqrt(-2 * Math.Log(1 - Random.Shared.NextDouble())) * Math.Cos(2 * Math.PI * Random.Shared.NextDouble());

    /// <summary>A bucket that fills evenly and holds a second's worth, and what came of those who asked.</summary>
    private static class Rate
    {
        private static readonly Lock Gate = new();
        private static long last = TimeProvider.System.GetTimestamp();
        private static double tokens;
        private static long admitted;
        private static long refused;

        /// <summary>0: any number.</summary>
        public static int PerMinute { get; set; }

        public static bool Admits()
        {
            lock (Gate)
            {
                var now = TimeProvider.System.GetTimestamp();
                var perSecond = PerMinute / 60.0;
                tokens = Math.Min(
                    perSecond, tokens + (TimeProvider.System.GetElapsedTime(last, now).TotalSeconds * perSecond));
                last = now;
                if (PerMinute > 0 && tokens < 1)
                {
                    refused++;
                    return false;
                }

                tokens = Math.Max(0, tokens - 1);
                admitted++;
                return true;
            }
        }

        public static string Counts()
        {
            lock (Gate)
                return $"{admitted} {refused}";
        }
    }
}
