using System.Text.Json.Nodes;

namespace ViralEngine.Core.Events;

/// <summary>An event to be stored in the transaction of its change, with the number after the subject's last.</summary>
public sealed record NewEvent(int Number, string Type, JsonObject Data);
