namespace ViralEngine.Torture.Promises;

/// <summary>A decision counts once, and what stands behind a gate runs once for it.</summary>
internal static class Approvals
{
    public static void Check(Evidence evidence)
    {
        var rows = evidence.Rows;
        var counted = evidence.NewPromise("a decision counts once, and none that was accepted is lost");
        var behind = evidence.NewPromise("what stands behind a gate runs once for a decision");
        foreach (var sent in evidence.Recorder.Workflows)
        {
            if (sent.Id is not { } id || !rows.Workflows.ContainsKey(id))
                continue;
            foreach (var gate in rows.Gates[id])
            {
                var decisions = rows.Decisions[gate.Id].ToList();
                var accepted = sent.Decisions.Where(decision => decision.Run == gate.Run)
                    .Select(decision => decision.Approver).Distinct().Count();
                counted.Expect(
                    decisions.Count >= accepted
                        && decisions.Select(decision => decision.Decider).Distinct().Count() == decisions.Count,
                    () => $"gate {gate.Id} of workflow {id}, run {gate.Run}: {accepted} people's decisions "
                        + $"were accepted, {decisions.Count} are stored:\n{rows.HistoryOf(id)}");
                counted.Expect(
                    gate.Status is "approved" or "rejected"
                        && decisions.Count(
                            decision => decision.Decision == (gate.Status == "approved" ? "approve" : "reject"))
                        >= gate.Quorum,
                    () => $"gate {gate.Id} of workflow {id} is {gate.Status} by {string.Join(", ", decisions)}");
            }

            counted.Equal(
                rows.Gates[id].Sum(gate => rows.Decisions[gate.Id].Count()),
                rows.Events[id].Count(happened => happened.Type == "approval.decided"),
                () => $"events of the decisions about workflow {id}:\n{rows.HistoryOf(id)}\n   ");
            var approved = rows.Gates[id].Count(gate => gate.Status == "approved");
            var made = rows.Tasks.Values.Where(task => task.Workflow == id && task.Step == "pay")
                .Select(task => task.Id).ToList();
            behind.Expect(
                made.Count == approved,
                () => $"workflow {id} was approved {approved} times, "
                    + $"and its payment was made as the tasks {string.Join(", ", made)}:\n{rows.HistoryOf(id)}");
        }
    }
}
