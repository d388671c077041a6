using System.Collections.Concurrent;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using ViralEngine.Core.Fields;
using ViralEngine.Core.Texts;

namespace ViralEngine.Functions.Requests;

/// <summary>
/// Binds request records from JSON and queries, field by field, and collects every error with the field's path. The
/// rules are the record's types and data annotations, which the API's document is also generated from. Null means the
/// same as an omitted field.
/// </summary>
internal static class RequestBinder
{
    private static readonly ConcurrentDictionary<Type, RequestField[]> Known = new();

    public static IReadOnlyList<RequestField> FieldsOf(Type type) => Known.GetOrAdd(type, Describe);

    /// <exception cref="ProblemException">400 with all errors.</exception>
    public static T Bind<T>(JsonElement body)
        where T : class, new()
    {
        var errors = new FieldErrors();
        var value = (T)BindObject(typeof(T), body, "", errors)!;
        errors.ThrowIfAny();
        return value;
    }

    /// <summary>Binds the query. Unknown parameters are errors.</summary>
    /// <exception cref="ProblemException">400 with all errors.</exception>
    public static T BindQuery<T>(IQueryCollection query)
        where T : class, new()
    {
        var errors = new FieldErrors();
        var fields = FieldsOf(typeof(T));
        var target = new T();
        foreach (var (name, values) in query)
        {
            var field = fields.FirstOrDefault(field => field.Name == name);
            if (field is null)
                errors.Add(
                    name,
                    $"Unknown parameter. Known parameters: {string.Join(", ", fields.Select(known => known.Name))}.");
            else if (values.Count > 1)
                errors.Add(name, "Must be given only once.");
            else if (FromText(field.Type, TextOf(field, values.ToString()), out var value, out var rule))
                Set(field, target, value, name, errors);
            else
                errors.Add(name, rule);
        }

        foreach (var field in fields.Where(field => field.IsRequired && !query.ContainsKey(field.Name)))
            errors.Add(field.Name, "Is required.");
        errors.ThrowIfAny();
        return target;
    }

    /// <summary>
    /// An offset's plus sign, which forms take for a space: RFC 3986 lets it stand in a query as it is.
    /// </summary>
    private static string TextOf(RequestField field, string text) =>
        field.Type == typeof(DateTime) ? text.Replace(' ', '+') : text;

    private static object? BindObject(Type type, JsonElement json, string path, FieldErrors errors)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            errors.Add(path.Length == 0 ? "body" : path, "Must be an object.");
            return Activator.CreateInstance(type);
        }

        var target = Activator.CreateInstance(type)!;
        var fields = FieldsOf(type);
        foreach (var property in json.EnumerateObject())
        {
            var at = path.Length == 0 ? property.Name : $"{path}.{property.Name}";
            var field = fields.FirstOrDefault(field => field.Name == property.Name);
            if (field is null)
                errors.Add(at, "Unknown field.");
            else if (property.Value.ValueKind != JsonValueKind.Null)
                BindField(field, target, property.Value, at, errors);
            else if (!field.CanBeNull)
                errors.Add(at, "Must not be null.");
        }

        foreach (var field in fields.Where(field => field.IsRequired && !json.TryGetProperty(field.Name, out _)))
            errors.Add(path.Length == 0 ? field.Name : $"{path}.{field.Name}", "Is required.");
        return target;
    }

    private static void BindField(RequestField field, object target, JsonElement json, string at, FieldErrors errors)
    {
        var before = errors.Count;
        var value = BindValue(field.Type, json, at, errors);
        if (errors.Count == before)
            Set(field, target, value, at, errors);
    }

    private static object? BindValue(Type type, JsonElement json, string at, FieldErrors errors)
    {
        if (type == typeof(JsonElement))
            return json;
        if (type == typeof(string) || type.IsEnum || type == typeof(Guid) || type == typeof(DateTime))
        {
            if (json.ValueKind != JsonValueKind.String)
                errors.Add(
                    at, type == typeof(string) ? "Must be a string." : $"Must be {Expected(type)}, as a string.");
            else if (!TryGetText(json, out var text))
                errors.Add(at, OutsideJson.SurrogateRule);
            else if (FromText(type, text, out var value, out var rule))
                return value;
            else
                errors.Add(at, rule);
            return null;
        }

        if (type == typeof(bool))
        {
            if (json.ValueKind is JsonValueKind.True or JsonValueKind.False)
                return json.GetBoolean();
        }
        else if (type == typeof(int) || type == typeof(long) || type == typeof(double) || type == typeof(decimal))
        {
            if (json.ValueKind == JsonValueKind.Number && FromText(type, json.GetRawText(), out var number, out _))
                return number;
        }
        else if (type.IsArray)
        {
            return BindArray(type.GetElementType()!, json, at, errors);
        }
        else if (type == typeof(Dictionary<string, string>))
        {
            return BindMap(json, at, errors);
        }
        else
        {
            return BindObject(type, json, at, errors);
        }

        errors.Add(at, $"Must be {Expected(type)}.");
        return null;
    }

    private static Array? BindArray(Type element, JsonElement json, string at, FieldErrors errors)
    {
        if (json.ValueKind != JsonValueKind.Array)
        {
            errors.Add(at, "Must be an array.");
            return null;
        }

        var array = Array.CreateInstance(element, json.GetArrayLength());
        var index = 0;
        foreach (var item in json.EnumerateArray())
        {
            if (BindValue(element, item, $"{at}[{index}]", errors) is { } value)
                array.SetValue(value, index);
            index++;
        }

        return array;
    }

    private static Dictionary<string, string>? BindMap(JsonElement json, string at, FieldErrors errors)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            errors.Add(at, "Must be an object of strings.");
            return null;
        }

        var map = new Dictionary<string, string>();
        foreach (var property in json.EnumerateObject())
        {
            if (BindValue(typeof(string), property.Value, $"{at}.{property.Name}", errors) is string text)
                map[property.Name] = text;
        }

        return map;
    }

    private static void Set(RequestField field, object target, object? value, string at, FieldErrors errors)
    {
        foreach (var rule in field.Rules)
        {
            if (rule is RangeAttribute range ? !IsWithin(range, value) : !rule.IsValid(value))
            {
                errors.Add(at, Words(rule));
                return;
            }
        }

        field.Property.SetValue(target, value);
    }

    /// <summary>
    /// The attribute's own check converts the value to the type of its bounds, and fails if that type cannot hold it.
    /// </summary>
    private static bool IsWithin(RangeAttribute range, object? value) => value switch
    {
        null => true,
        double real => real >= Convert.ToDouble(range.Minimum, CultureInfo.InvariantCulture)
            && real <= Convert.ToDouble(range.Maximum, CultureInfo.InvariantCulture),
        int or long or decimal => Convert.ToDecimal(value, CultureInfo.InvariantCulture) is var number
            && number >= Convert.ToDecimal(range.Minimum, CultureInfo.InvariantCulture)
            && number <= Convert.ToDecimal(range.Maximum, CultureInfo.InvariantCulture),
        _ => range.IsValid(value),
    };

    private static string Words(ValidationAttribute rule) => rule switch
    {
        StringLengthAttribute { MinimumLength: 0 } length => $"Must have at most {length.MaximumLength} characters.",
        StringLengthAttribute length => $"Must have {length.MinimumLength} to {length.MaximumLength} characters.",
        RangeAttribute { Maximum: int.MaxValue } range => $"Must be {range.Minimum} or more.",
        RangeAttribute range => $"Must be {range.Minimum} to {range.Maximum}.",
        _ => rule.FormatErrorMessage("The value"),
    };

    private static bool FromText(Type type, string text, out object? value, out string rule)
    {
        rule = $"Must be {Expected(type)}.";
        var culture = CultureInfo.InvariantCulture;
        value = null;
        if (type == typeof(string))
        {
            value = text;
            rule = OutsideJson.NulRule;
            return !text.Contains('\0');
        }

        if (type == typeof(int) && WholeNumber.TryParse(text, out var int32)
            && int32 is >= int.MinValue and <= int.MaxValue)
            value = (int)int32;
        else if (type == typeof(long) && WholeNumber.TryParse(text, out var int64))
            value = int64;
        else if (type == typeof(double) && double.TryParse(text, NumberStyles.Float, culture, out var real)
            && double.IsFinite(real))
            value = real;
        else if (type == typeof(decimal) && decimal.TryParse(text, NumberStyles.Float, culture, out var exact))
            value = exact;
        else if (type == typeof(bool) && text is "true" or "false")
            value = text == "true";
        else if (type == typeof(Guid) && Guid.TryParseExact(text, "D", out var id))
            value = id;
        else if (type == typeof(DateTime) && Rfc3339.TryParse(text, out var time))
            value = time;
        else if (type.IsEnum)
            value = EnumWords(type).FirstOrDefault(word => word.Word == text).Value;
        return value is not null;
    }

    private static bool TryGetText(JsonElement json, out string text)
    {
        try
        {
            text = json.GetString()!;
            return true;
        }
        catch (InvalidOperationException)
        {
            text = "";
            return false;
        }
    }

    private static string Expected(Type type) =>
        type == typeof(int) || type == typeof(long) ? "a whole number"
        : type == typeof(double) || type == typeof(decimal) ? "a number"
        : type == typeof(bool) ? "true or false"
        : type == typeof(Guid) ? "a UUID"
        : type == typeof(DateTime) ? "an RFC 3339 time, such as 2030-01-31T12:00:00Z"
        : type.IsEnum ? $"one of {string.Join(", ", EnumWords(type).Select(word => word.Word))}"
        : "a string";

    public static IEnumerable<(string Word, object? Value)> EnumWords(Type type) =>
        Enum.GetValues(type).Cast<object>()
            .Select(value => (JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString()!), (object?)value));

    private static RequestField[] Describe(Type type) =>
    [
        .. type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.CanWrite)
            .Select(property => new RequestField(
                JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name),
                Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType,
                property,
                [.. property.GetCustomAttributes<ValidationAttribute>().Where(rule => rule is not RequiredAttribute)],
                property.GetCustomAttribute<RequiredAttribute>() is not null,
                property.GetCustomAttribute<NeverNullAttribute>() is null)),
    ];
}

/// <summary>A field of a request record.</summary>
/// <param name="Name">The name in the request.</param>
/// <param name="Type">Without its nullability.</param>
internal sealed record RequestField(
    string Name, Type Type, PropertyInfo Property, IReadOnlyList<ValidationAttribute> Rules, bool IsRequired,
    bool MayBeTakenAway)
{
    /// <summary>
    /// Whether null is accepted: the same as omitting the field; in a merge patch, it removes the value.
    /// </summary>
    public bool CanBeNull => !IsRequired && MayBeTakenAway;
}

/// <summary>A merge patch cannot set the field to null.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class NeverNullAttribute : Attribute;
