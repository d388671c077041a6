using System.Buffers.Text;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace ViralEngine.Functions.Requests;

/// <summary>
/// The paging parameters of every list. The cursor is opaque to callers: the id of the last row they saw.
/// </summary>
internal abstract record PageQuery
{
    public const int MaxLimit = 100;

    [Range(1, MaxLimit)]
    [Description("How many to return, 1 to 100.")]
    public int Limit { get; init; } = 20;

    [StringLength(64)]
    [Description("The next_cursor of the previous page.")]
    public string? Cursor { get; init; }

    /// <summary>The id after which the page begins.</summary>
    /// <exception cref="ProblemException">400 if the cursor is not valid.</exception>
    public Guid? After()
    {
        if (Cursor is null)
            return null;
        Span<byte> bytes = stackalloc byte[16];
        if (Cursor.Length == 22 && Base64Url.IsValid(Cursor)
            && Base64Url.TryDecodeFromChars(Cursor, bytes, out var written) && written == 16)
            return new Guid(bytes, bigEndian: true);
        throw new ProblemException(Problem.Validation("cursor", "Must be the next_cursor of a previous page."));
    }

    /// <summary>
    /// The cursor for the page after these rows; null when there is none. Lists are read one row further than asked.
    /// </summary>
    /// <param name="isCut">There are more, although fewer rows were read than requested.</param>
    public string? Next<T>(List<T> rows, Func<T, Guid> id, bool isCut = false)
    {
        if (rows.Count <= Limit && !isCut)
            return null;
        rows.RemoveRange(Math.Min(Limit, rows.Count), Math.Max(0, rows.Count - Limit));
        return CursorAfter(id(rows[^1]));
    }

    /// <summary>The cursor for the page that begins after a row.</summary>
    public static string CursorAfter(Guid id) => Base64Url.EncodeToString(id.ToByteArray(bigEndian: true));
}
