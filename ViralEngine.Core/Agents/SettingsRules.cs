using ViralEngine.Core.Outgoing;

namespace ViralEngine.Core.Agents;

/// <summary>What checking an agent's settings needs to know of the installation.</summary>
public sealed record SettingsRules(UrlPolicy Urls);
