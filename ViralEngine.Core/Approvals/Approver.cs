using ViralEngine.Core.Organizations;

namespace ViralEngine.Core.Approvals;

/// <summary>Somebody who decides, as gates name them.</summary>
/// <param name="Principal">Under which the decision is kept: one for each principal.</param>
/// <param name="Names">What a gate's <c>users</c> may call them.</param>
public sealed record Approver(string Principal, Role Role, IReadOnlyCollection<string> Names)
{
    public static Approver From(Caller caller) => new(caller.Principal, caller.Role, NamesOf(caller));

    public static string[] NamesOf(Caller caller) =>
        caller.Subject is { } subject ? [caller.Id, caller.Principal, subject] : [caller.Id, caller.Principal];
}
