using ViralEngine.Torture.Stack;

namespace ViralEngine.Torture.Faults;

/// <summary>One kind of trouble: begins, lasts, and is over when its task is.</summary>
/// <param name="NeedsInstance">It is done to one instance, which the schedule chooses.</param>
internal sealed record Fault(string Name, bool NeedsInstance, Func<World, Timeline, Instance, Random, Task> RunAsync);
