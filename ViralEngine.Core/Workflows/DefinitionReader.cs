using System.Text.Json;
using ViralEngine.Core.Fields;
using ViralEngine.Core.Outgoing;
using ViralEngine.Core.Workflows.Conditions;

namespace ViralEngine.Core.Workflows;

/// <summary>
/// Reads and validates a definition, and reports every error with its path (<c>steps[2].conditions[0].pattern</c>). A
/// valid one can run: ids are unique, values come from earlier steps, and cycles cannot be expressed.
/// </summary>
public sealed class DefinitionReader(UrlPolicy urls)
{
    public const int MaxSteps = 200;
    public const int MaxNesting = 5;

    /// <summary>The types of steps, as definitions spell them.</summary>
    public static IReadOnlyCollection<string> StepTypes => DefinitionReading.Types.Keys;

    /// <summary>The definition, or null with <paramref name="errors"/>.</summary>
    /// <param name="path">The definition's path in the request; empty for the request itself.</param>
    public WorkflowDefinition? Read(JsonElement json, string path, FieldErrors errors)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            errors.Add(path.Length == 0 ? "body" : path, "Must be an object.");
            return null;
        }

        var reader = new FieldReader(json, path, errors);
        var reading = new DefinitionReading(urls);
        var steps = reading.ReadSteps(reader, "steps", nesting: 0);
        reader.Require("steps", steps);
        var rollbackOnCancel = reader.Flag("rollback_on_cancel");
        reader.RefuseOthers("Unknown field.");
        return errors.Any || steps is null ? null : new WorkflowDefinition(steps, rollbackOnCancel);
    }

    /// <summary>Reads a definition that was validated before.</summary>
    public WorkflowDefinition ReadStored(JsonElement json)
    {
        var errors = new FieldErrors();
        return Read(json, "", errors) ?? throw new InvalidOperationException(
            "A stored definition is no longer valid: "
            + string.Join("; ", errors.ToDictionary().Select(e => $"{e.Key}: {e.Value[0]}")));
    }
}

/// <summary>The state of one reading.</summary>
internal sealed class DefinitionReading
{
    /// <summary>How the steps of each type are read.</summary>
    public static readonly Dictionary<string, Func<DefinitionReading, FieldReader, StepHead, WorkflowStep?>> Types =
        new()
        {
            ["task"] = (reading, json, head) => reading.actions.ReadStep(json, head.Id, head.Name, "task"),
            ["parallel"] = (reading, json, head) => Nested(json, head, () => reading.ReadParallel(json, head)),
            ["choice"] = (reading, json, head) => Nested(json, head, () => reading.ReadChoice(json, head)),
            ["approval"] = (reading, json, head) => reading.waits.ReadApproval(json, head.Id, head.Name),
            ["delay"] = (reading, json, head) => reading.waits.ReadDelay(json, head.Id, head.Name),
            ["webhook"] = (reading, json, head) => reading.actions.ReadStep(json, head.Id, head.Name, "webhook"),
        };

    private readonly DefinitionTexts texts = new();
    private readonly HashSet<string> ids = [];
    private readonly ConditionReader conditions;
    private readonly ActionReader actions;
    private readonly WaitReader waits;

    public DefinitionReading(UrlPolicy urls)
    {
        conditions = new ConditionReader(texts);
        actions = new ActionReader(texts, urls);
        waits = new WaitReader(texts);
    }

    public IReadOnlyList<WorkflowStep>? ReadSteps(FieldReader json, string name, int nesting, int minCount = 1)
    {
        if (json.Objects(name, minCount, DefinitionReader.MaxSteps) is not { } items)
            return null;
        var steps = new List<WorkflowStep>();
        foreach (var item in items)
        {
            if (ReadStep(item, nesting) is { } step)
                steps.Add(step);
        }

        return steps;
    }

    private WorkflowStep? ReadStep(FieldReader json, int nesting)
    {
        var id = ReadId(json);
        var name = json.Text("name", 200);
        var type = json.Text("type", 20);
        json.Require("type", type);
        if (type is null)
            return null;
        if (!Types.TryGetValue(type, out var read))
            return Fail(json, "type", $"Must be one of {string.Join(", ", Types.Keys)}.");

        var step = read(this, json, new StepHead(id ?? "?", name, nesting));
        var rollback = json.Object("rollback") is { } undo
            ? texts.Within(id is null ? [] : [id], () => actions.ReadAction(undo, undo.Text("type", 20)))
            : null;
        json.RefuseOthers("Unknown field.");
        if (id is not null)
            texts.Show([id]);
        return step is null || id is null ? null : step with { Rollback = rollback };
    }

    private string? ReadId(FieldReader json)
    {
        var id = json.Text("id", 64);
        json.Require("id", id);
        if (id is null)
            return null;
        if (id.Length == 0 || !char.IsAsciiLetter(id[0])
            || !id.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'))
            json.Fail("id", "Must begin with a letter and contain only letters, digits, - and _.");
        else if (!ids.Add(id))
            json.Fail("id", "Must be unique among the steps.");
        else if (ids.Count > DefinitionReader.MaxSteps)
            json.Fail("id", $"Must have at most {DefinitionReader.MaxSteps} steps in all.");
        else
            return id;
        return null;
    }

    private static WorkflowStep? Nested(FieldReader json, StepHead head, Func<WorkflowStep?> read) =>
        head.Nesting < DefinitionReader.MaxNesting
            ? read()
            : Fail(json, "type", $"Must not be nested deeper than {DefinitionReader.MaxNesting} levels.");

    private ParallelStep? ReadParallel(FieldReader json, StepHead head)
    {
        var items = json.Objects("branches", 1, 50);
        json.Require("branches", items);
        var concurrency = json.Integer("max_concurrency", 1, 50) ?? 10;
        var failFast = json.Choice("failure_mode", Modes) ?? false;
        var branches = new List<Branch>();
        var inner = new List<string>();
        foreach (var item in items ?? [])
        {
            var branchName = item.Text("name", 200);
            // Branches run concurrently, so one does not see another's steps.
            var steps = texts.Within([], () =>
            {
                var read = ReadSteps(item, "steps", head.Nesting + 1);
                inner.AddRange(texts.Visible);
                return read;
            });
            item.Require("steps", steps);
            item.RefuseOthers("Unknown field.");
            branches.Add(new Branch(branchName, steps ?? []));
        }

        texts.Show(inner);
        return items is null
            ? null
            : new ParallelStep(head.Id, head.Name, json.Path, null, branches, concurrency, failFast);
    }

    private ChoiceStep? ReadChoice(FieldReader json, StepHead head)
    {
        var items = json.Objects("conditions", 1, 50);
        json.Require("conditions", items);
        var branches = new List<ConditionalBranch>();
        var inner = new List<string>();
        foreach (var item in items ?? [])
        {
            var branchName = item.Text("name", 200);
            var steps = Branch(() => ReadSteps(item, "steps", head.Nesting + 1, minCount: 0));
            if (conditions.Read(item) is { } condition)
                branches.Add(new ConditionalBranch(branchName, condition, steps));
        }

        var otherwise = Branch(() => ReadSteps(json, "default", head.Nesting + 1, minCount: 0));
        texts.Show(inner);
        return items is null ? null : new ChoiceStep(head.Id, head.Name, json.Path, null, branches, otherwise);

        IReadOnlyList<WorkflowStep> Branch(Func<IReadOnlyList<WorkflowStep>?> read) => texts.Within([], () =>
        {
            var steps = read();
            inner.AddRange(texts.Visible);
            return steps ?? [];
        });
    }

    private static WorkflowStep? Fail(FieldReader json, string name, string message)
    {
        json.Fail(name, message);
        return null;
    }

    private static readonly Dictionary<string, bool> Modes = new() { ["continue"] = false, ["fail_fast"] = true };
}

/// <summary>What all steps begin with.</summary>
/// <param name="Id">A question mark where it is missing, which is an error already.</param>
/// <param name="Nesting">How many steps the step is inside of.</param>
internal sealed record StepHead(string Id, string? Name, int Nesting);
