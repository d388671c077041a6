using ViralEngine.Core.Organizations;

namespace ViralEngine.Core.Approvals;

/// <summary>Somebody who may decide at gates.</summary>
/// <param name="Principal">The principal, which can decide once per gate.</param>
/// <param name="Names">The names by which a gate's <c>users</c> may refer to them.</param>
public sealed record Approver(string Principal, Role Role, IReadOnlyCollection<string> Names)
{
    public static Approver From(Caller caller) => new(caller.Principal, caller.Role, NamesOf(caller));

    public static string[] NamesOf(Caller caller) =>
        caller.Subject is { } subject ? [caller.Id, caller.Principal, subject] : [caller.Id, caller.Principal];
}
