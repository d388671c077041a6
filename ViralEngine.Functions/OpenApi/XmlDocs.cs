using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace ViralEngine.Functions.OpenApi;

/// <summary>
/// The code's XML documentation, so that fields are described once. Read from the files beside the assemblies; without
/// them, the document has fewer descriptions.
/// </summary>
internal sealed partial class XmlDocs
{
    private readonly Dictionary<string, XElement> members;

    private XmlDocs(Dictionary<string, XElement> members) => this.members = members;

    public static XmlDocs Load()
    {
        var members = new Dictionary<string, XElement>(StringComparer.Ordinal);
        foreach (var assembly in new[] { typeof(XmlDocs).Assembly, typeof(Core.Storage.Db).Assembly })
        {
            var file = Path.ChangeExtension(assembly.Location, ".xml");
            if (!File.Exists(file))
                continue;
            foreach (var member in XDocument.Load(file).Descendants("member"))
                members[(string)member.Attribute("name")!] = member;
        }

        return new XmlDocs(members);
    }

    public string? Summary(Type type) => Text(members.GetValueOrDefault("T:" + Name(type))?.Element("summary"));

    public string? Summary(MethodInfo method)
    {
        var name = $"M:{Name(method.DeclaringType!)}.{method.Name}";
        var member = members.FirstOrDefault(member =>
            member.Key == name || member.Key.StartsWith(name + "(", StringComparison.Ordinal)).Value;
        return Text(member?.Element("summary"));
    }

    /// <summary>The summary of a property, or of the record parameter that it comes from.</summary>
    public string? Summary(MemberInfo property)
    {
        var type = Name(property.DeclaringType!);
        return Text(members.GetValueOrDefault($"P:{type}.{property.Name}")?.Element("summary"))
            ?? Text(members.GetValueOrDefault("T:" + type)?.Elements("param")
                .FirstOrDefault(parameter => (string?)parameter.Attribute("name") == property.Name));
    }

    private static string Name(Type type) => type.FullName!.Replace('+', '.');

    private static string? Text(XElement? element)
    {
        if (element is null)
            return null;
        var text = new StringBuilder();
        foreach (var node in element.Nodes())
        {
            text.Append(node switch
            {
                XText words => words.Value,
                XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
                XElement { Name.LocalName: "see" } see => ((string?)see.Attribute("cref"))?.Split('.', ':')[^1]
                    ?? see.Value,
                XElement { Name.LocalName: "paramref" } parameter => Words.Snake((string)parameter.Attribute("name")!),
                XElement other => other.Value,
                _ => "",
            });
        }

        return Space().Replace(text.ToString(), " ").Trim();
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
