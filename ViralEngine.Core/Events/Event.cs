using System.Text.Json;

namespace ViralEngine.Core.Events;

/// <summary>One event in the history of a task, batch or workflow; numbers run from 1 without gaps.</summary>
public sealed record Event(int Number, string Type, JsonElement Data, DateTime CreatedAt);

/// <param name="Last">The number of the subject's last event.</param>
/// <param name="Ended">Whether the subject has ended and these are its last events.</param>
/// <param name="More">Whether there are more.</param>
public sealed record EventPage(IReadOnlyList<Event> Items, int Last, bool Ended, bool More);
