using ViralEngine.Torture.Outside;

namespace ViralEngine.Torture.Promises;

/// <summary>Everything came to its end, once, with the answer it should have; and its history has no gap.</summary>
internal static class Endings
{
    private static readonly string[] Ended = ["completed", "failed", "cancelled"];

    public static void Check(Evidence evidence)
    {
        var rows = evidence.Rows;
        var ended = evidence.NewPromise("everything accepted comes to its end");
        var once = evidence.NewPromise("finished is finished once");
        var gaps = evidence.NewPromise("events are numbered without a gap");
        foreach (var task in rows.Tasks.Values)
            CheckSubject("task", task.Id, task.Status, task.Run, task.LastEvent);
        foreach (var batch in rows.Batches.Values)
            CheckSubject("batch", batch.Id, batch.Status, batch.Run, batch.LastEvent);
        foreach (var workflow in rows.Workflows.Values)
            CheckSubject("workflow", workflow.Id, workflow.Status, workflow.Run, workflow.LastEvent);
        CheckAnswers(evidence);

        void CheckSubject(string kind, Guid id, string status, int run, int last)
        {
            ended.Expect(Ended.Contains(status), () => $"{kind} {id} is {status}:\n{rows.HistoryOf(id)}");
            var events = rows.Events[id].ToList();
            var ends = events.Count(happened => Ended.Any(end => happened.Type == $"{kind}.{end}"));
            once.Expect(
                ends == run && events[^1].Type == $"{kind}.{status}",
                () => $"{kind} {id} is {status} in run {run} and ended {ends} times:\n{rows.HistoryOf(id)}");
            gaps.Expect(
                events.Select(happened => happened.Number).SequenceEqual(Enumerable.Range(1, last)),
                () => $"{kind} {id} has events up to {last}:\n{rows.HistoryOf(id)}");
        }
    }

    private static void CheckAnswers(Evidence evidence)
    {
        var rows = evidence.Rows;
        var answers = evidence.NewPromise("each has the outcome and the answer it should have");
        foreach (var sent in evidence.Recorder.Tasks.Where(sent => sent.Id is not null))
        {
            if (!rows.Tasks.TryGetValue(sent.Id!.Value, out var task))
                continue;
            var fails = sent.Description.StartsWith(Provider.Refused, StringComparison.Ordinal)
                && sent.Agent == sent.Tenant.Provider;
            var right = task.Status switch
            {
                "completed" => !fails && task.Result == sent.Description,
                "failed" => fails,
                "cancelled" => sent.IsCancelled,
                _ => true,
            };
            answers.Expect(
                right && task.Run == 1 + sent.Retries,
                () => $"task {task.Id} ({sent.Description}){(sent.IsCancelled ? ", cancelled," : "")} "
                    + $"is {task.Status}, run {task.Run}, '{task.Result}':\n{rows.HistoryOf(task.Id)}");
        }

        foreach (var item in rows.Batches.Keys.SelectMany(batch => rows.Items[batch]))
        {
            answers.Expect(
                item.Status == "completed"
                    ? item.Result == item.Description
                    : item.Status == "failed"
                        && item.Description.StartsWith(Provider.Refused, StringComparison.Ordinal),
                () => $"item {item.Number} of batch {item.Batch} ({item.Description}) "
                    + $"is {item.Status}: '{item.Result}'");
        }
    }
}
