using System.Globalization;
using System.Reflection;

namespace ViralEngine.LocalRuntime.Tests.Conformance;

/// <summary>Writes what an assembly declares in <c>Microsoft.*</c> namespaces, in the form of the real surface's lists.
/// </summary>
internal static class SurfaceLines
{
    public static IEnumerable<string> Of(Assembly assembly) =>
        assembly.GetExportedTypes()
            .Where(type => type.Namespace?.StartsWith("Microsoft.", StringComparison.Ordinal) == true)
            .SelectMany(Of);

    /// <summary>One spelling for a line: the order in which a type's interfaces are named does not matter.</summary>
    public static string Normalize(string line)
    {
        var trimmed = line.Trim();
        var colon = trimmed.IndexOf(" : ", StringComparison.Ordinal);
        if (colon < 0 || trimmed.Contains(": public ", StringComparison.Ordinal)
            || trimmed.Contains(": protected ", StringComparison.Ordinal))
            return trimmed;
        var bases = trimmed[(colon + 3)..].Split(", ").Order(StringComparer.Ordinal);
        return $"{trimmed[..colon]} : {string.Join(", ", bases)}";
    }

    private static IEnumerable<string> Of(Type type)
    {
        var prefix = Usage(type) + MemberLines.Obsolete(type);
        var name = TypeNames.Full(type);
        if (type.IsEnum)
            return [$"{prefix}enum {name}", .. Members(type, name)];
        if (typeof(Delegate).IsAssignableFrom(type))
        {
            var invoke = type.GetMethod("Invoke")!;
            var returns = TypeNames.Of(new NullabilityInfoContext().Create(invoke.ReturnParameter));
            return [$"{prefix}delegate {returns} {name}{MemberLines.Parameters(invoke)}"];
        }

        return [$"{prefix}{Kind(type)} {name}{Bases(type)}", .. MemberLines.Of(type)];
    }

    private static string Usage(Type type) =>
        type.GetCustomAttribute<AttributeUsageAttribute>(inherit: false) is { } usage
            ? $"[AttributeUsage({usage.ValidOn})] "
            : "";

    private static string Kind(Type type)
    {
        if (type.IsInterface)
            return "interface";
        if (type.IsValueType)
            return "struct";
        if (type is { IsAbstract: true, IsSealed: true })
            return "static class";
        var kind = type.GetMethod("<Clone>$") is null ? "class" : "record";
        return type.IsAbstract ? $"abstract {kind}" : type.IsSealed ? $"sealed {kind}" : kind;
    }

    private static string Bases(Type type)
    {
        var inherited = type.BaseType?.GetInterfaces() ?? [];
        var interfaces = type.GetInterfaces().Except(inherited).Where(one => one.IsPublic).Select(TypeNames.Of);
        var basis = type.BaseType is { } known && known != typeof(object) && known != typeof(ValueType)
            ? [TypeNames.Of(known)]
            : Array.Empty<string>();
        var bases = basis.Concat(interfaces).ToList();
        return bases.Count == 0 ? "" : $" : {string.Join(", ", bases)}";
    }

    private static IEnumerable<string> Members(Type type, string name) =>
        Enum.GetNames(type).Zip(Enum.GetValuesAsUnderlyingType(type).Cast<object>(), (member, value) =>
            string.Create(CultureInfo.InvariantCulture, $"{name}.{member} = {value}"));
}
