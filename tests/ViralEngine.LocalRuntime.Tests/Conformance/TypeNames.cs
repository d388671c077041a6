using System.Reflection;

namespace ViralEngine.LocalRuntime.Tests.Conformance;

/// <summary>Writes types as the lists of the real surface do: C# keywords, no namespaces, <c>?</c> where null may be. A
/// <c>?</c> on a bare generic parameter is never written.</summary>
internal static class TypeNames
{
    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(void)] = "void",
        [typeof(object)] = "object",
        [typeof(string)] = "string",
        [typeof(bool)] = "bool",
        [typeof(char)] = "char",
        [typeof(byte)] = "byte",
        [typeof(sbyte)] = "sbyte",
        [typeof(short)] = "short",
        [typeof(ushort)] = "ushort",
        [typeof(int)] = "int",
        [typeof(uint)] = "uint",
        [typeof(long)] = "long",
        [typeof(ulong)] = "ulong",
        [typeof(float)] = "float",
        [typeof(double)] = "double",
        [typeof(decimal)] = "decimal",
    };

    /// <summary>A type that stands alone, as a base type does.</summary>
    public static string Of(Type type) => Write(type, null);

    /// <summary>A type with what is known of its nullability.</summary>
    public static string Of(NullabilityInfo known) => Write(known.Type, known);

    /// <summary>The namespace, the type, and the type it is nested in.</summary>
    public static string Full(Type type)
    {
        var outer = type.DeclaringType is { } declaring ? Full(declaring) : type.Namespace;
        return $"{outer}.{Of(type)}";
    }

    private static string Write(Type type, NullabilityInfo? known)
    {
        if (type.IsByRef)
            return Write(type.GetElementType()!, known);
        if (Nullable.GetUnderlyingType(type) is { } underlying)
            return Write(underlying, known?.GenericTypeArguments.FirstOrDefault()) + "?";
        var mark = known is { WriteState: NullabilityState.Nullable } or { ReadState: NullabilityState.Nullable }
            && !type.IsValueType && !type.IsGenericParameter ? "?" : "";
        if (type.IsArray)
            return $"{Write(type.GetElementType()!, known?.ElementType)}[]{mark}";
        if (Keywords.TryGetValue(type, out var keyword))
            return keyword + mark;
        if (!type.IsGenericType)
            return type.Name + mark;

        var arguments = type.GetGenericArguments().Select((argument, index) =>
            Write(argument, known is null ? null : known.GenericTypeArguments.ElementAtOrDefault(index)));
        return $"{type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)]}<{string.Join(", ", arguments)}>{mark}";
    }
}
