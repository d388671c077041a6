using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ViralEngine.Infrastructure.Tests.Rules;

/// <summary>No secret in an output, in a default of a parameter, or among the settings of the app.</summary>
internal static partial class SecretRule
{
    public static IEnumerable<string> Breaches(Deployment deployment)
    {
        foreach (var template in Templates(deployment.Template))
        {
            var secure = Members(template, "parameters").Where(p => IsSecure(p.Value)).Select(p => p.Key).ToHashSet();

            foreach (var (name, parameter) in Members(template, "parameters"))
            {
                if (Secretive().IsMatch(name) && TypeOf(parameter) == "string" && !IsSecure(parameter))
                    yield return $"parameter {name} sounds like a secret and is not secure";
                if (IsSecure(parameter) && parameter["defaultValue"] is not null)
                    yield return $"parameter {name} is secure and has a default";
            }

            foreach (var (name, output) in Members(template, "outputs"))
            {
                var value = output["value"]?.ToString() ?? "";
                if (IsSecure(output) || Secretive().IsMatch(name))
                    yield return $"output {name} sounds like a secret";
                if (Listing().IsMatch(value))
                    yield return $"output {name} asks for keys";
                foreach (var parameter in secure.Where(
                    p => value.Contains($"parameters('{p}')", StringComparison.Ordinal)))
                    yield return $"output {name} shows parameter {parameter}";
            }
        }

        foreach (var settings in deployment.OfType("Microsoft.Web/sites/config"))
            foreach (var (name, value) in Members(settings.AsObject(), "properties", any: true))
                if (Secretive().IsMatch(name)
                    && !value.ToString().StartsWith("@Microsoft.KeyVault(", StringComparison.Ordinal))
                    yield return $"setting {name} is no reference to the vault";
    }

    private static IEnumerable<JsonObject> Templates(JsonObject root) =>
        root.Objects().Where(o => o.ContainsKey("$schema") && o.ContainsKey("resources"));

    private static IEnumerable<KeyValuePair<string, JsonObject>> Members(JsonObject template, string section) =>
        Members(template, section, any: true)
            .Where(member => member.Value is JsonObject)
            .Select(member => KeyValuePair.Create(member.Key, member.Value.AsObject()));

    private static IEnumerable<KeyValuePair<string, JsonNode>> Members(JsonObject o, string section, bool any) =>
        any && o[section] is JsonObject members
            ? members.Where(member => member.Value is not null).Select(m => KeyValuePair.Create(m.Key, m.Value!))
            : [];

    private static string TypeOf(JsonObject declaration) => declaration["type"]?.ToString().ToLowerInvariant() ?? "";

    private static bool IsSecure(JsonObject declaration) =>
        TypeOf(declaration).StartsWith("secure", StringComparison.Ordinal);

    // "rotatingSecretsKey" is a switch, not a string; a name such as AzureWebJobsStorage__credential holds a kind.
    [GeneratedRegex(
        "password|secret|(platform|shared|account|access|s)_*key|connectionkey|token$", RegexOptions.IgnoreCase)]
    private static partial Regex Secretive();

    [GeneratedRegex(@"\blist\w*\(", RegexOptions.IgnoreCase)]
    private static partial Regex Listing();
}
