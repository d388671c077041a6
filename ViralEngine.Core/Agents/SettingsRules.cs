using ViralEngine.Core.Outgoing;

namespace ViralEngine.Core.Agents;

/// <summary>The installation's rules for agents' settings.</summary>
public sealed record SettingsRules(UrlPolicy Urls);
