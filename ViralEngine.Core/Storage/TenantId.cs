namespace ViralEngine.Core.Storage;

/// <summary>The organization whose rows a call may see and change. The first parameter of every use case.</summary>
public readonly record struct TenantId(Guid Value)
{
    public override string ToString() => Value.ToString();
}
