namespace ViralEngine.Core.Alerts.Detection;

/// <summary>Whether a score is the highest of the last 150: only those that could still be beaten are kept.</summary>
internal sealed class RecentRecords
{
    public const int MaxBytes = 1 + (Window * 5);
    private const int Window = 150;

    private readonly List<(int Age, float Score)> kept = [];

    public bool Add(double score)
    {
        for (var i = 0; i < kept.Count; i++)
            kept[i] = kept[i] with { Age = kept[i].Age + 1 };
        if (kept.Count > 0 && kept[0].Age >= Window)
            kept.RemoveAt(0);
        var record = kept.Count == 0 || (float)score > kept[0].Score;
        while (kept.Count > 0 && kept[^1].Score <= (float)score)
            kept.RemoveAt(kept.Count - 1);
        kept.Add((0, (float)score));
        return record;
    }

    public void Write(ref StateWriter writer)
    {
        writer.Byte((byte)kept.Count);
        foreach (var (age, score) in kept)
        {
            writer.Byte((byte)age);
            writer.Float(score);
        }
    }

    public void Read(ref StateReader reader)
    {
        kept.Clear();
        for (var left = reader.Byte(); left > 0; left--)
        {
            var age = reader.Byte();
            kept.Add((age, reader.Float()));
        }
    }
}
