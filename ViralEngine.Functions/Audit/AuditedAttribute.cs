namespace ViralEngine.Functions.Audit;

/// <summary>
/// What the endpoint does goes into the audit log, in the transaction in which it is done: <see cref="AuditMiddleware"/> sees to
/// it. Every change of settings and every order over others' work is audited. Submitting tasks, batches and workflows is not: there
/// are too many, and each names its creator itself.
/// </summary>
/// <param name="action">Kind of target and what is done to it: <c>webhook.created</c>.</param>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class AuditedAttribute(string action) : Attribute
{
    public string Action { get; } = action;

    public string TargetKind => Action[..Action.IndexOf('.', StringComparison.Ordinal)];

    /// <summary>The route's parameter that holds the target's id; its last one unless told.</summary>
    public string? Target { get; init; }

    /// <summary>Whether the answer is the new state of a setting, to be kept. Not for work: its content is nobody's to keep here.</summary>
    public bool KeepsAnswer { get; init; } = true;
}
