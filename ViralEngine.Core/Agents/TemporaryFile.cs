using Microsoft.Win32.SafeHandles;

namespace ViralEngine.Core.Agents;

/// <summary>
/// An unnamed file, where the system supports it: it disappears with the process, even after a crash.
/// </summary>
internal static class TemporaryFile
{
    public static SafeFileHandle Create()
    {
        var path = Path.Combine(Path.GetTempPath(), $"viral-answer-{Guid.NewGuid():n}");
        var file = File.OpenHandle(
            path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete, FileOptions.DeleteOnClose);
        File.Delete(path);
        return file;
    }

    /// <summary>
    /// Reads a stream to its end: into memory, or into a file if it is longer than <paramref name="most"/>.
    /// </summary>
    /// <returns>The content, positioned at its start.</returns>
    public static async Task<Stream> CollectAsync(Stream source, int most, CancellationToken ct)
    {
        var start = GC.AllocateUninitializedArray<byte>(most);
        var length = await source.ReadAtLeastAsync(start, most, throwOnEndOfStream: false, ct);
        if (length < most)
            return new MemoryStream(start, 0, length, writable: false);

        var file = new FileStream(Create(), FileAccess.ReadWrite);
        try
        {
            await file.WriteAsync(start, ct);
            await source.CopyToAsync(file, ct);
            file.Position = 0;
            return file;
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }
    }
}
