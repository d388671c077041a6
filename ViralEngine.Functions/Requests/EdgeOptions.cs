namespace ViralEngine.Functions.Requests;

/// <summary>Section <c>Edge</c>: what stands between callers and the app.</summary>
internal sealed class EdgeOptions
{
    public const string Section = "Edge";

    /// <summary>
    /// Id of the Azure Front Door in front of the app. Where a request shows it (<c>X-Azure-FDID</c>), <c>X-Azure-ClientIP</c> is the
    /// caller's address; of any other Front Door it is not believed.
    /// </summary>
    public string? FrontDoorId { get; set; }

    /// <summary>Header in which another front end writes the caller's address over whatever the caller has sent.</summary>
    public string? ClientAddressHeader { get; set; }
}
