using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace ViralEngine.Functions.Requests;

/// <summary>
/// Keeps the keys that ASP.NET Core's data protection creates at start-up in memory. The app does not use them (see
/// <c>Secrets</c>), and writes no file.
/// </summary>
internal sealed class KeysInMemory : IXmlRepository
{
    private readonly Lock gate = new();
    private readonly List<XElement> keys = [];

    public IReadOnlyCollection<XElement> GetAllElements()
    {
        lock (gate) return [.. keys];
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        lock (gate) keys.Add(element);
    }
}
