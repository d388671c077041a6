using Microsoft.Azure.Functions.Worker;

namespace ViralEngine.LocalRuntime.Tests.Conformance;

[Trait("Category", "Conformance")]
public sealed class ConformanceTests
{
    [Fact]
    public void Declares_nothing_in_the_real_namespaces_that_the_real_packages_do_not()
    {
        var real = RealSurface.Read();

        var offenders = SurfaceLines.Of(typeof(FunctionContext).Assembly)
            .Select(SurfaceLines.Normalize)
            .Where(line => !real.Contains(line))
            .ToList();

        Assert.True(offenders.Count == 0, $"{offenders.Count} differ:\n{string.Join('\n', offenders)}");
    }

    [Fact]
    public void Reads_the_lists_that_it_compares_with() =>
        Assert.Contains(
            "delegate Task Microsoft.Azure.Functions.Worker.Middleware.FunctionExecutionDelegate("
                + "FunctionContext context)",
            RealSurface.Read());

    [Fact]
    public void Writes_a_surface_as_the_lists_do() =>
        Assert.Equal(
            [
                "Microsoft.Impostor.ImpostorAttribute: protected .ctor(string? name = null, params int[] numbers)",
                "Microsoft.Impostor.ImpostorAttribute: public IReadOnlyDictionary<string, object?> Values "
                    + "{ get; init; }",
                "Microsoft.Impostor.ImpostorAttribute: public const string Motto = \"none\"",
                "Microsoft.Impostor.ImpostorAttribute: public override string ToString()",
                "Microsoft.Impostor.ImpostorAttribute: public string? Name { get; set; }",
                "Microsoft.Impostor.ImpostorAttribute: public virtual Task<T> FindAsync<T>(T key, Guid? id = null, "
                    + "CancellationToken ct = default) where T : class, IDisposable, new()",
                "Microsoft.Impostor.ImpostorAttribute: public void Dispose()",
                "[AttributeUsage(Class, Method)] abstract class Microsoft.Impostor.ImpostorAttribute : Attribute, "
                    + "IDisposable",
                "[Obsolete] Microsoft.Impostor.ImpostorAttribute: public static bool TryGet(out List<string?>? found, "
                    + "bool really = true)",
            ],
            SurfaceLines.Of(typeof(ConformanceTests).Assembly).Order(StringComparer.Ordinal));
}
