namespace Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

/// <summary>What every binding attribute derives from.</summary>
[AttributeUsage(AttributeTargets.Method)]
public abstract class BindingAttribute : Attribute
{
    // The real constructor is public, and the surface is kept as it is.
#pragma warning disable CA1012
    public BindingAttribute()
    {
    }
#pragma warning restore CA1012
}
