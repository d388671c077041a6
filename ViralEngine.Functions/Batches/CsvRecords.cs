using System.Buffers;
using System.Text;

namespace ViralEngine.Functions.Batches;

/// <summary>Splits CSV (RFC 4180) into records and fields. A quote opens a field only at its beginning.</summary>
internal static class CsvRecords
{
    private enum At
    {
        Beginning,
        Plain,
        Quoted,
        Quote,
    }

    /// <summary>The end of the first complete record, without its line break; null if it has not arrived yet.</summary>
    public static SequencePosition? EndOf(ReadOnlySequence<byte> buffer, byte separator)
    {
        var at = At.Beginning;
        var offset = 0L;
        foreach (var segment in buffer)
        {
            var span = segment.Span;
            for (var i = 0; i < span.Length; i++)
            {
                if (span[i] == '\n' && at != At.Quoted)
                    return buffer.GetPosition(offset + i);
                at = Next(at, (char)span[i], (char)separator);
            }

            offset += span.Length;
        }

        return null;
    }

    /// <summary>The fields of a record; null if a quote is not closed or is followed by other characters.</summary>
    public static List<string>? Split(string record, char separator)
    {
        var fields = new List<string>();
        var field = new StringBuilder();
        var at = At.Beginning;
        foreach (var c in record)
        {
            var next = Next(at, c, separator);
            switch (at, next)
            {
                case (not At.Quoted, At.Beginning):
                    fields.Add(field.ToString());
                    field.Clear();
                    break;
                case (At.Beginning, At.Quoted) or (At.Quoted, At.Quote):
                    break;
                case (At.Quote, At.Plain):
                    return null;
                default:
                    field.Append(c);
                    break;
            }

            at = next;
        }

        fields.Add(field.ToString());
        return at == At.Quoted ? null : fields;
    }

    private static At Next(At at, char c, char separator) => at switch
    {
        At.Quoted => c == '"' ? At.Quote : At.Quoted,
        At.Quote when c == '"' => At.Quoted,
        _ when c == separator => At.Beginning,
        At.Beginning when c == '"' => At.Quoted,
        _ => At.Plain,
    };
}
