using System.ComponentModel.DataAnnotations;
using ViralEngine.Core.Agents;

namespace ViralEngine.Functions.Agents;

/// <summary>The name of a kind of agent.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class AgentKindNameAttribute : AllowedValuesAttribute
{
    public AgentKindNameAttribute()
        : base([null, .. AgentKinds.ByName.Keys]) =>
            ErrorMessage = $"Must be one of {string.Join(", ", AgentKinds.ByName.Keys)}.";
}
