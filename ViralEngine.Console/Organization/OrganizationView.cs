using ViralEngine.Core.Limits;
using ViralEngine.Core.Organizations;

namespace ViralEngine.Console.Organization;

/// <summary>An organization with its plan's limits and its usage. Null means no limit.</summary>
public sealed record OrganizationView(
    Core.Organizations.Organization Organization, Usage Usage, int? RequestsPerSecond, long? TasksPerMonth,
    int? ConcurrentTasks,
    int? Members, BudgetView Budget);

/// <param name="Month">The calendar month, UTC: <c>2030-01</c>.</param>
/// <param name="Agents">Agents that have a budget or spent something.</param>
public sealed record BudgetView(
    string Month, decimal? MonthlyUsd, decimal SpentUsd, decimal ReservedUsd, IReadOnlyList<BudgetLine> Agents);

/// <summary>The roles of an organization's people and keys, the highest first.</summary>
public static class RoleWords
{
    private static readonly string[] Words = ["owner", "admin", "operator", "approver", "viewer"];

    /// <summary>The roles that a member may grant: none above their own.</summary>
    public static IReadOnlyList<(string Word, string Text)> UpTo(Role own) =>
        [.. Words.Where(word => Roles.TryParse(word, out var role) && role <= own).Select(word => (word, word))];
}
