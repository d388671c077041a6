using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using ViralEngine.Torture.Stack;

namespace ViralEngine.Torture.Outside;

/// <summary>Tells which instance is at the other end of a connection, by whose process holds the socket.</summary>
internal sealed class Callers
{
    private const int LocalAddress = 1;
    private const int RemoteAddress = 2;
    private const int Inode = 9;

    private readonly ConcurrentDictionary<string, int> known = new();

    public IReadOnlyList<Instance> Instances { get; set; } = [];

    /// <returns>The instance's number; 0: unknown.</returns>
    public int Of(HttpContext http) =>
        known.GetOrAdd(http.Connection.Id, _ => Find(http.Connection.RemotePort, http.Connection.LocalPort));

    private int Find(int callerPort, int ownPort)
    {
        var inode = InodeOf(callerPort, ownPort);
        if (inode is null)
            return 0;
        foreach (var instance in Instances)
        {
            try
            {
                var folder = $"/proc/{instance.App.ProcessId.ToString(CultureInfo.InvariantCulture)}/fd";
                if (Directory.EnumerateFiles(folder).Any(file => new FileInfo(file).LinkTarget == $"socket:[{inode}]"))
                    return instance.Number;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException)
            {
                // It was killed at this very moment.
            }
        }

        return 0;
    }

    private static string? InodeOf(int localPort, int remotePort)
    {
        var local = $":{localPort:X4}";
        var remote = $":{remotePort:X4}";
        foreach (var line in (string[])["/proc/net/tcp", "/proc/net/tcp6"])
        {
            foreach (var entry in File.ReadLines(line))
            {
                var fields = entry.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (fields.Length > Inode && fields[LocalAddress].EndsWith(local, StringComparison.Ordinal)
                    && fields[RemoteAddress].EndsWith(remote, StringComparison.Ordinal))
                {
                    return fields[Inode];
                }
            }
        }

        return null;
    }
}
