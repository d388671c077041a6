namespace ViralEngine.Torture.Promises;

/// <summary>What a batch counts is what its items are.</summary>
internal static class Batches
{
    public static void Check(Evidence evidence)
    {
        var counters = evidence.NewPromise("a batch's counters are its items");
        foreach (var batch in evidence.Rows.Batches.Values)
        {
            var items = evidence.Rows.Items[batch.Id].ToList();
            var counted = (batch.Completed, batch.Failed, batch.Cancelled, batch.Total, batch.Cost);
            var found = (
                Count("completed"), Count("failed"), Count("cancelled"), items.Count, items.Sum(item => item.Cost));
            counters.Expect(
                counted == found,
                () => $"batch {batch.Id} counts {counted} (completed, failed, cancelled, all, cost), "
                    + $"its items are {found}");

            long Count(string status) => items.Count(item => item.Status == status);
        }
    }
}
