namespace ViralEngine.Functions.Requests;

/// <summary>Ids in routes. What is no UUID names nothing: 404, as for one that is not there.</summary>
internal static class Ids
{
    public static bool TryParse(string text, out Guid id) => Guid.TryParseExact(text, "D", out id);
}
