namespace ViralEngine.Torture.Promises;

/// <summary>Each event was told at least once, under one id, signed, and to nobody else.</summary>
internal static class Webhooks
{
    public static void Check(Evidence evidence)
    {
        var told = evidence.NewPromise("each event is told by a webhook at least once");
        var ids = evidence.NewPromise("a webhook has one id, however often it comes");
        var signed = evidence.NewPromise("webhooks are signed");
        var own = evidence.NewPromise("no tenant is told of another's");
        foreach (var tenant in evidence.Tenants)
        {
            var received = evidence.Webhooks.Where(webhook => webhook.Tenant == tenant.Name).ToList();
            var subjects = evidence.Rows.Events.SelectMany(events => events).Where(
                happened => happened.Tenant == tenant.Id).ToList();
            var known = subjects.Select(happened => happened.Subject).ToHashSet();
            var taken = received.Where(webhook => webhook.WasTaken).Select(webhook => (webhook.Subject, webhook.Number))
                .ToHashSet();
            var queued = evidence.Rows.Deliveries.Where(delivery => delivery.Endpoint == tenant.Webhook)
                .ToDictionary(delivery => (delivery.Subject, delivery.Number));
            foreach (var happened in subjects)
            {
                var key = (happened.Subject, happened.Number);
                told.Expect(
                    taken.Contains(key) && queued.GetValueOrDefault(key)?.Status == "delivered",
                    () => $"event {happened.Number} {happened.Type} of {happened.Subject} ({tenant.Name}): "
                        + $"its delivery is {queued.GetValueOrDefault(key)}; "
                        + $"it came {received.Count(webhook => (webhook.Subject, webhook.Number) == key)} times, "
                        + $"and {(taken.Contains(key) ? "was taken" : "was never taken")}");
            }

            foreach (var same in received.GroupBy(webhook => (webhook.Subject, webhook.Number)))
            {
                var used = same.Select(webhook => webhook.Id).Distinct().ToList();
                ids.Expect(
                    used.Count == 1,
                    () => $"event {same.Key.Number} of {same.Key.Subject} came as {string.Join(", ", used)}");
            }

            foreach (var webhook in received)
            {
                signed.Expect(
                    webhook.IsSignedWith(tenant.WebhookSecret),
                    () => $"{webhook} is not signed with the secret of {tenant.Name}");
                own.Expect(
                    known.Contains(webhook.Subject),
                    () => $"{tenant.Name} was told of {webhook.Subject}, which is not its own: {webhook.Body}");
            }
        }
    }
}
