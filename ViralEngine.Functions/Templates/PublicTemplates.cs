using System.Text.Json;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Fields;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Templates;
using ViralEngine.Core.Workflows;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Templates;

/// <summary>
/// A public template must not name its owner's agents or members: it would disclose them, and start nowhere else.
/// Publishing a template also publishes its earlier versions.
/// </summary>
internal sealed class PublicTemplates(TemplateStore store, DefinitionReader reader)
{
    /// <exception cref="ProblemException">400 with the path of every such name.</exception>
    public async Task CheckAsync(
        TenantId tenant, Guid id, string definitionJson, string path, bool wasPublic, CancellationToken ct)
    {
        var errors = new FieldErrors();
        Check(JsonElement.Parse(definitionJson), path, errors);
        errors.ThrowIfAny();
        if (wasPublic)
            return;
        foreach (var (version, definition) in await store.DefinitionsAsync(tenant, id, ct))
        {
            Check(definition, "", errors);
            if (errors.Any)
            {
                throw new ProblemException(Problem.Validation(
                    "visibility",
                    $"Version {version} names your own agents or approvers and would become public, too. "
                    + "Create a new template instead."));
            }
        }
    }

    private void Check(JsonElement json, string path, FieldErrors errors)
    {
        // A version that is no longer valid cannot be started and discloses nothing.
        if (reader.Read(json, path, new FieldErrors()) is not { } definition)
            return;
        foreach (var (at, agent) in NamesInDefinition.Agents(definition)
            .Where(each => BuiltInAgents.Find(each.Name) is null))
            errors.Add(
                at,
                $"A public template must not name one of your agents ({agent}): "
                + "use a parameter, {{ input.agent }}.");
        foreach (var (at, user) in NamesInDefinition.Users(definition))
            errors.Add(at, $"A public template must not name your members or keys ({user}): use roles instead.");
    }
}
