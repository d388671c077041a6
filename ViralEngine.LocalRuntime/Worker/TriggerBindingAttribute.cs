namespace Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

/// <summary>Marks the parameter that says what starts a function. A function has exactly one.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
public abstract class TriggerBindingAttribute : BindingAttribute
{
    // The real constructor is public, and the surface is kept as it is.
#pragma warning disable CA1012
    public TriggerBindingAttribute()
    {
    }
#pragma warning restore CA1012
}
