using System.Text.Json;
using ViralEngine.Torture.Load;

namespace ViralEngine.Torture.Promises;

/// <summary>What was acknowledged is there, once, and is what was asked for.</summary>
internal static class Acceptance
{
    public static void Check(Evidence evidence)
    {
        var kept = evidence.NewPromise("accepted is not lost");
        var once = evidence.NewPromise("one key, one resource");
        var (recorder, rows) = (evidence.Recorder, evidence.Rows);
        var tasks = rows.Tasks.Values.Where(task => task.Workflow is null).ToLookup(
            task => (task.Tenant, MarkerOf(task.Description)), task => task.Id);
        var batches = rows.Batches.Values.ToLookup(batch => (batch.Tenant, batch.Name), batch => batch.Id);
        var workflows = rows.Workflows.Values.ToLookup(
            workflow => (workflow.Tenant, workflow.Name), workflow => workflow.Id);
        foreach (var task in recorder.Tasks)
            CheckOne("task", task.Tenant, task.Marker, task.Id, tasks);
        foreach (var batch in recorder.Batches)
        {
            CheckOne("batch", batch.Tenant, batch.Marker, batch.Id, batches);
            if (batch.Id is { } id)
                kept.Expect(
                    rows.Items[id].Select(item => item.Description).SequenceEqual(batch.Items),
                    () => $"batch {id} has not the items it was sent with");
        }

        foreach (var workflow in recorder.Workflows)
            CheckOne("workflow", workflow.Tenant, workflow.Marker, workflow.Id, workflows);
        CheckReplays(evidence);

        void CheckOne(string what, Tenant tenant, string marker, Guid? accepted, ILookup<(Guid, string), Guid> there)
        {
            var found = there[(tenant.Id, marker)].ToList();
            once.Expect(
                found.Count <= 1, () => $"{what} {marker} is there {found.Count} times: {string.Join(", ", found)}");
            if (accepted is { } id)
                kept.Expect(
                    found.Contains(id),
                    () => $"{what} {marker}, accepted as {id}, is not there (found: {string.Join(", ", found)})");
        }
    }

    /// <summary>The first word, or the second of what must be refused.</summary>
    public static string MarkerOf(string description)
    {
        var words = description.Split(' ', 3);
        return words[0] == Outside.Provider.Refused ? words[1] : words[0];
    }

    private static void CheckReplays(Evidence evidence)
    {
        var same = evidence.NewPromise("the same key again gets the same answer");
        foreach (var (request, first, again) in evidence.Recorder.Replays)
        {
            same.Expect(
                again.IsReplay && again.Status == first.Status && Same(first.Body, again.Body),
                () => $"{request.Method} {request.Path} with key {request.Key} "
                    + $"was answered {first.Status} {first.Body}\n"
                    + $"      and then {again.Status}{(again.IsReplay ? "" : ", not as a replay")} {again.Body}");
        }
    }

    private static bool Same(string first, string again) =>
        first == again || JsonElement.DeepEquals(JsonElement.Parse(first), JsonElement.Parse(again));
}
