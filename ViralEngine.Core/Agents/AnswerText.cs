using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace ViralEngine.Core.Agents;

/// <summary>
/// An answer's text as it grows: in memory, or in a temporary file if it is long and the process is over its memory
/// budget. Not thread-safe.
/// </summary>
internal sealed class AnswerText(AnswerMemory memory) : IDisposable
{
    /// <summary>Memory is accounted in steps of this many characters.</summary>
    private const int Step = 4096;

    /// <summary>Characters per write to the file.</summary>
    private const int Written = 16 * 1024;

    private StringBuilder tail = new();
    private SafeFileHandle? file;
    private int inFile;
    private bool staysInMemory;
    private long counted;
    private long countedInFile;

    public int Length => inFile + tail.Length;

    public bool IsInFile => file is not null;

    public void Append(string chunk)
    {
        tail.Append(chunk);
        if (!staysInMemory
            && (IsInFile ? tail.Length > Written : tail.Length > AnswerMemory.Long && memory.IsOverBudget))
            MoveToFile();
        Count();
    }

    public string ToString(int start, int length) => string.Create(length, (Text: this, start), static (whole, from) =>
        from.Text.Read(from.start, whole));

    public override string ToString() => ToString(0, Length);

    public void Clear()
    {
        // Release the memory of a long text.
        tail = tail.Capacity > AnswerMemory.Long ? new StringBuilder() : tail.Clear();
        file?.Dispose();
        (file, inFile) = (null, 0);
        Count();
    }

    public void Dispose() => Clear();

    private void Read(int start, Span<char> whole)
    {
        var fromFile = Math.Clamp(inFile - start, 0, whole.Length);
        ReadFile(start, whole[..fromFile]);
        var rest = whole[fromFile..];
        if (rest.Length > 0)
            tail.CopyTo(start + fromFile - inFile, rest, rest.Length);
    }

    private void ReadFile(int start, Span<char> part)
    {
        var bytes = MemoryMarshal.AsBytes(part);
        var offset = start * 2L;
        while (bytes.Length > 0)
        {
            var read = RandomAccess.Read(file!, bytes, offset);
            if (read == 0)
                throw new EndOfStreamException(
                    "The temporary file of an answer is shorter than the text written to it.");
            bytes = bytes[read..];
            offset += read;
        }
    }

    private void MoveToFile()
    {
        try
        {
            file ??= TemporaryFile.Create();
            WriteTail(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A full disk must not fail the answer: the rest stays in memory.
            staysInMemory = true;
            return;
        }

        inFile += tail.Length;
        tail = tail.Capacity > Written * 2 ? new StringBuilder() : tail.Clear();
    }

    private void WriteTail(SafeFileHandle to)
    {
        var offset = inFile * 2L;
        foreach (var chunk in tail.GetChunks())
        {
            RandomAccess.Write(to, MemoryMarshal.AsBytes(chunk.Span), offset);
            offset += chunk.Length * 2L;
        }
    }

    private void Count()
    {
        var (bytes, bytesInFile) = (tail.Length / Step * Step * 2L, inFile * 2L);
        if (bytes != counted)
        {
            memory.Hold(bytes - counted);
            counted = bytes;
        }

        if (bytesInFile != countedInFile)
        {
            memory.HoldInFile(bytesInFile - countedInFile);
            countedInFile = bytesInFile;
        }
    }
}
