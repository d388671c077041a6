namespace Microsoft.Azure.Functions.Worker;

/// <summary>Whether a binding brings a value to a function or takes one from it.</summary>
public enum BindingDirection
{
    In = 0,
    Out = 1,
}
