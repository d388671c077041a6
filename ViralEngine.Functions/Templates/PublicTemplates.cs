using System.Text.Json;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Templates;
using ViralEngine.Core.Workflows;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Templates;

/// <summary>
/// What every organization may read names nothing that is its owner's own: it would tell of it, and start nowhere else. Versions of
/// before become readable too when a template is made public.
/// </summary>
internal sealed class PublicTemplates(TemplateStore store, DefinitionReader reader)
{
    /// <exception cref="ProblemException">400 with the path of every name.</exception>
    public async Task CheckAsync(TenantId tenant, Guid id, string definitionJson, string path, bool wasPublic, CancellationToken ct)
    {
        var errors = new SettingsErrors();
        Check(JsonElement.Parse(definitionJson), path, errors);
        if (errors.Any)
            throw new ProblemException(Problem.Validation(errors.ToDictionary()));
        if (wasPublic)
            return;
        foreach (var (version, definition) in await store.DefinitionsAsync(tenant, id, ct))
        {
            Check(definition, "", errors);
            if (errors.Any)
            {
                throw new ProblemException(Problem.Validation(
                    "visibility",
                    $"Version {version} names your own agents or approvers and would become public, too. Create a new template instead."));
            }
        }
    }

    private void Check(JsonElement json, string path, SettingsErrors errors)
    {
        // One that is not valid any more tells nothing, as it starts nothing.
        if (reader.Read(json, path, new SettingsErrors()) is not { } definition)
            return;
        foreach (var (at, agent) in NamesInDefinition.Agents(definition).Where(each => BuiltInAgents.Find(each.Name) is null))
            errors.Add(at, $"A public template must not name one of your agents ({agent}): use a parameter, {{{{ input.agent }}}}.");
        foreach (var (at, user) in NamesInDefinition.Users(definition))
            errors.Add(at, $"A public template must not name your members or keys ({user}): use roles instead.");
    }
}
