using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace ViralEngine.LocalRuntime.Tests.Conformance;

/// <summary>Writes the public and protected members a type declares, one a line.</summary>
internal static class MemberLines
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static
        | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    public static IEnumerable<string> Of(Type type)
    {
        var owner = TypeNames.Full(type);
        var members = type.GetConstructors(Declared).Where(IsVisible).Select(Write)
            .Concat(type.GetFields(Declared).Where(field => field.IsPublic || IsProtected(field)).Select(Write))
            .Concat(type.GetProperties(Declared).Where(IsVisible).Select(Write))
            .Concat(type.GetMethods(Declared).Where(IsListed).Select(Write));
        return members.Select(member => $"{Obsolete(member.Of)}{owner}: {member.Line}");
    }

    public static string Obsolete(MemberInfo member) =>
        member.IsDefined(typeof(ObsoleteAttribute), inherit: false) ? "[Obsolete] " : "";

    public static string Parameters(MethodBase method)
    {
        var extends = method.IsDefined(typeof(ExtensionAttribute), inherit: false) ? "this " : "";
        return $"({extends}{string.Join(", ", method.GetParameters().Select(Parameter))})";
    }

    private static (MemberInfo Of, string Line) Write(ConstructorInfo constructor) =>
        (constructor, $"{Access(constructor)}.ctor{Parameters(constructor)}");

    private static (MemberInfo Of, string Line) Write(FieldInfo field)
    {
        var type = TypeNames.Of(new NullabilityInfoContext().Create(field));
        var access = field.IsPublic ? "public" : "protected";
        var line = field switch
        {
            { IsLiteral: true } => $"{access} const {type} {field.Name} = {Value(field.GetRawConstantValue())}",
            { IsStatic: true, IsInitOnly: true } => $"{access} static readonly {type} {field.Name}",
            { IsStatic: true } => $"{access} static {type} {field.Name}",
            { IsInitOnly: true } => $"{access} readonly {type} {field.Name}",
            _ => $"{access} {type} {field.Name}",
        };
        return (field, line);
    }

    private static (MemberInfo Of, string Line) Write(PropertyInfo property)
    {
        var widest = property.GetAccessors(true).OrderByDescending(accessor => accessor.IsPublic).First();
        var accessors = property.GetAccessors(true).Where(IsVisible).Select(accessor =>
            accessor == property.GetMethod ? "get;" : IsInit(accessor) ? "init;" : "set;");
        var type = TypeNames.Of(new NullabilityInfoContext().Create(property));
        var name = property.GetIndexParameters().Length == 0
            ? property.Name
            : $"this[{string.Join(", ", property.GetIndexParameters().Select(Parameter))}]";
        return (property, $"{Access(widest)}{Modifier(widest)}{type} {name} {{ {string.Join(" ", accessors)} }}");
    }

    private static (MemberInfo Of, string Line) Write(MethodInfo method)
    {
        var generic = method.IsGenericMethod
            ? $"<{string.Join(", ", method.GetGenericArguments().Select(argument => argument.Name))}>"
            : "";
        var returns = TypeNames.Of(new NullabilityInfoContext().Create(method.ReturnParameter));
        var constraints = string.Concat(method.GetGenericArguments().Select(Constraints));
        return (method,
            $"{Access(method)}{Modifier(method)}{returns} {method.Name}{generic}{Parameters(method)}{constraints}");
    }

    private static string Constraints(Type parameter)
    {
        var attributes = parameter.GenericParameterAttributes;
        var parts = new List<string>();
        if (attributes.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint))
            parts.Add("class");
        if (attributes.HasFlag(GenericParameterAttributes.NotNullableValueTypeConstraint))
            parts.Add("struct");
        parts.AddRange(parameter.GetGenericParameterConstraints()
            .Where(constraint => constraint != typeof(ValueType)).Select(TypeNames.Of));
        if (attributes.HasFlag(GenericParameterAttributes.DefaultConstructorConstraint) && !parts.Contains("struct"))
            parts.Add("new()");
        return parts.Count == 0 ? "" : $" where {parameter.Name} : {string.Join(", ", parts)}";
    }

    private static string Parameter(ParameterInfo parameter)
    {
        var kind = parameter switch
        {
            { IsOut: true } => "out ",
            { IsIn: true, ParameterType.IsByRef: true } => "in ",
            { ParameterType.IsByRef: true } => "ref ",
            _ when parameter.IsDefined(typeof(ParamArrayAttribute), inherit: false) => "params ",
            _ => "",
        };
        var type = TypeNames.Of(new NullabilityInfoContext().Create(parameter));
        return $"{kind}{type} {parameter.Name}{Default(parameter)}";
    }

    private static string Default(ParameterInfo parameter) => parameter switch
    {
        { HasDefaultValue: false } => "",
        { RawDefaultValue: null, ParameterType.IsValueType: true } when
            Nullable.GetUnderlyingType(parameter.ParameterType) is null => " = default",
        _ => $" = {Value(parameter.RawDefaultValue)}",
    };

    private static string Value(object? value) => value switch
    {
        null => "null",
        string text => $"\"{text}\"",
        bool flag => flag ? "true" : "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static string Access(MethodBase method) => method.IsPublic ? "public " : "protected ";

    private static string Modifier(MethodInfo method)
    {
        if (method.IsStatic)
            return "static ";
        // Members of interfaces are all abstract; the lists do not say so.
        // Nor do they say of a sealed override that it is one.
        if (method.DeclaringType!.IsInterface || !method.IsVirtual || method.IsFinal)
            return "";
        if (method.IsAbstract)
            return "abstract ";
        return method.GetBaseDefinition() != method ? "override " : "virtual ";
    }

    private static bool IsListed(MethodInfo method) =>
        IsVisible(method)
        && (!method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal))
        && !method.Name.StartsWith('<');

    private static bool IsInit(MethodInfo accessor) =>
        accessor.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit));

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static bool IsVisible(PropertyInfo property) => property.GetAccessors(true).Any(IsVisible);

    private static bool IsProtected(FieldInfo field) => field.IsFamily || field.IsFamilyOrAssembly;
}
