namespace ViralEngine.Functions.Requests;

/// <summary>Ids in routes. Anything but a UUID is 404, like an unknown id.</summary>
internal static class Ids
{
    public static bool TryParse(string text, out Guid id) => Guid.TryParseExact(text, "D", out id);
}
