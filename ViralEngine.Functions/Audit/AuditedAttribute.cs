namespace ViralEngine.Functions.Audit;

/// <summary>
/// Records what the endpoint does in the audit log, in the same transaction (<see cref="AuditMiddleware"/>). Every
/// change of settings and every cancellation or retry is audited. Submitting tasks, batches and workflows is not: there
/// are too many, and each names its creator itself.
/// </summary>
/// <param name="action">The kind of target and what happened to it: <c>webhook.created</c>.</param>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class AuditedAttribute(string action) : Attribute
{
    public string Action { get; } = action;

    public string TargetKind => Action[..Action.IndexOf('.', StringComparison.Ordinal)];

    /// <summary>The route parameter with the target's id; the last one by default.</summary>
    public string? Target { get; init; }

    /// <summary>
    /// Whether to record the response as the setting's new state. False for work, whose content does not belong in the
    /// audit log.
    /// </summary>
    public bool KeepsAnswer { get; init; } = true;
}
