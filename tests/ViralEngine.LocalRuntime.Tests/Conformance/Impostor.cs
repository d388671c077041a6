namespace Microsoft.Impostor;

/// <summary>A surface that no package has, to show that differences are seen, and how they are written.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public abstract class ImpostorAttribute : Attribute, IDisposable
{
    public const string Motto = "none";

    protected ImpostorAttribute(string? name = null, params int[] numbers) => Name = $"{name}{numbers?.Length}";

    public string? Name { get; protected internal set; }

    public IReadOnlyDictionary<string, object?> Values { get; init; } = new Dictionary<string, object?>();

    public virtual Task<T?> FindAsync<T>(T key, Guid? id = null, CancellationToken ct = default)
        where T : class, IDisposable, new() => Task.FromResult<T?>(key);

    [Obsolete("To show the mark.")]
    public static bool TryGet(out List<string?>? found, bool really = true)
    {
        found = null;
        return really;
    }

    public void Dispose() => GC.SuppressFinalize(this);

    public override string ToString() => Name ?? "";

    private protected static void Hidden()
    {
    }
}
