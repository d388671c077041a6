using ViralEngine.Torture.Outside;

namespace ViralEngine.Torture.Promises;

/// <summary>
/// Calls cost money. One that was made again has a reason that took the first one's work away; and what is booked is
/// what providers have counted, but for calls whose process died before it could book them.
/// </summary>
internal static class Money
{
    /// <summary>
    /// How long an instance goes on trying to book a call while the database is away, and some time to notice.
    /// </summary>
    private const double Booking = 70;

    /// <summary>An outage that is longer may be too long for it.</summary>
    private const double LongestTried = 50;

    public static void Check(Evidence evidence)
    {
        CheckRepeated(evidence);
        CheckRows(evidence);
        CheckSpending(evidence);
    }

    private static void CheckRepeated(Evidence evidence)
    {
        var explained = evidence.NewPromise("a call is made again only where its work was lost");
        foreach (var same in evidence.Calls.GroupBy(call => (call.Task, call.Attempt)))
        {
            var calls = same.OrderBy(call => call.Began).ToList();
            // Attempts are counted anew when a task that failed is run again.
            var runs = evidence.Rows.Tasks.TryGetValue(same.Key.Task, out var task) ? task.Run : 1;
            var unexplained = calls.Zip(calls.Skip(1))
                .Where(pair =>
                    evidence.Timeline.Explains(pair.First.Instance, pair.First.Began, pair.Second.Began) is null)
                .ToList();
            explained.Expect(
                unexplained.Count < runs,
                () => string.Join(
                    "\n    ", unexplained.Select(pair => $"{pair.First}\n      was made again as {pair.Second}"))
                    + $"\n      and nothing had happened to the instance:\n{evidence.Rows.HistoryOf(same.Key.Task)}");
        }
    }

    /// <summary>What is written on a task is no more than its calls, and at least the one that answered.</summary>
    private static void CheckRows(Evidence evidence)
    {
        var written = evidence.NewPromise("what a task says that it cost is what its calls cost");
        var told = evidence.Calls.Where(call => call.Told is not null).ToLookup(call => call.Task);
        foreach (var task in evidence.Rows.Tasks.Values)
        {
            var most = told[task.Id].Count() * Provider.Price;
            var least = task.Status == "completed" && evidence.Calls.Count > 0 && most > 0 ? Provider.Price : 0;
            written.Expect(
                task.Cost >= least && task.Cost <= most,
                () => $"task {task.Id} says {task.Cost} USD; its calls that told what they used:\n"
                    + $"      {string.Join("\n      ", told[task.Id])}\n{evidence.Rows.HistoryOf(task.Id)}");
        }
    }

    private static void CheckSpending(Evidence evidence)
    {
        var spent = evidence.NewPromise("money spent is calls times price");
        var reserved = evidence.NewPromise("money set aside is that of the reservations there are");
        foreach (var tenant in evidence.Tenants)
        {
            var calls = evidence.Calls.Where(call => call.Tenant == tenant.Name && call.Told is not null).ToList();
            var cancelled = evidence.Recorder.Tasks.Where(task => task.IsCancelled).Select(task => task.Id).ToHashSet();
            var lost = calls.Where(
                call => call.WasBrokenOff || cancelled.Contains(call.Task) || MayBeLost(evidence.Timeline, call))
                .ToList();
            foreach (var line in evidence.Rows.Spending.Where(
                line => line.Tenant == tenant.Id && (line.Agent.Length == 0 || line.Agent == tenant.Provider)))
            {
                var booked = line.Spent / Provider.Price;
                spent.Expect(
                    booked <= calls.Count && booked >= calls.Count - lost.Count,
                    () => $"{tenant.Name}{(line.Agent.Length == 0 ? "" : ", its agent,")} has spent {line.Spent} USD, "
                        + $"which is {booked} calls; {calls.Count} told what they used, and {lost.Count} of them "
                        + "may not have been heard, or been lost with their process:\n      "
                        + string.Join("\n      ", lost)
                        + "\n    more was told than is on these:\n"
                        + $"      {string.Join("\n      ", Missing(evidence, calls.Except(lost)))}");
                reserved.Equal(
                    line.OfReservations, line.Reserved, () => $"set aside by {tenant.Name}, agent '{line.Agent}'");
            }
        }
    }

    /// <summary>Calls of work that says that it cost less than they told.</summary>
    private static IEnumerable<ProviderCall> Missing(Evidence evidence, IEnumerable<ProviderCall> calls)
    {
        var costs = evidence.Rows.Tasks.Values.Select(task => (task.Description, task.Cost))
            .Concat(evidence.Rows.Items.SelectMany(items => items).Select(item => (item.Description, item.Cost)))
            .GroupBy(work => work.Description)
            .ToDictionary(work => work.Key, work => work.Sum(each => each.Cost));
        return calls.GroupBy(call => call.Description)
            .Where(same => costs.GetValueOrDefault(same.Key) < same.Count() * Provider.Price)
            .SelectMany(same => same);
    }

    /// <summary>
    /// Its process died before the call could be booked, at once or later while the database was away; or the database
    /// was away for longer than it is tried.
    /// </summary>
    private static bool MayBeLost(Timeline timeline, ProviderCall call) => timeline.All.Any(trouble =>
        trouble.StopsWork && trouble.From <= call.Told + Booking && trouble.Until >= call.Began
        && (call.Instance == 0 || trouble.Instance == 0 || trouble.Instance == call.Instance)
        && (Kills(trouble)
            ? IsTooEarly(timeline, trouble, call)
            : trouble.From <= call.Told + 3 && trouble.Until - call.Told > LongestTried));

    private static bool Kills(Trouble trouble) =>
        trouble.What.StartsWith("SIG", StringComparison.Ordinal) && trouble.What != "SIGSTOP";

    private static bool IsTooEarly(Timeline timeline, Trouble death, ProviderCall call) =>
        death.From <= call.Told
            + 3 || timeline.Explains(call.Instance, call.Told!.Value, death.From - 0.01) is not null;
}
