using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace ViralEngine.LocalHost.Sample;

/// <summary>What the functions tell the test, in order.</summary>
public static class Notes
{
    private static readonly ConcurrentQueue<string> All = new();

    public static void Add(string note) => All.Enqueue(note);

    [Function("NotesRead")]
    public static IResult Read(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "notes")] HttpRequest request) =>
        Results.Json(All.ToArray());

    [Function("NoteOfEnvironment")]
    public static IResult Variable(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "environment/{name}")] HttpRequest request,
        string name) =>
        Results.Text(Environment.GetEnvironmentVariable(name) ?? "");
}
