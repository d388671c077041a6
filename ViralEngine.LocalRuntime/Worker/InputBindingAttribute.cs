namespace Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

/// <summary>Marks a parameter that is filled from somewhere else than the trigger, a durable client for one.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
public abstract class InputBindingAttribute : BindingAttribute
{
    // The real constructor is public, and the surface is kept as it is.
#pragma warning disable CA1012
    public InputBindingAttribute()
    {
    }
#pragma warning restore CA1012
}
