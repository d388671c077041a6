namespace ViralEngine.Core.Alerts.Detection;

/// <summary>
/// When an alarm begins and ends, with hysteresis: it opens on a record at or above the threshold, and ends after ten
/// points below half of it.
/// </summary>
public sealed class AlarmState
{
    public const int CalmPoints = 10;

    public bool IsOpen { get; private set; }

    public int Calm { get; private set; }

    public AlarmStep Step(Verdict verdict, double threshold)
    {
        if (!IsOpen)
        {
            if (!verdict.Settled || !verdict.IsRecord || verdict.Score < threshold)
                return AlarmStep.None;
            (IsOpen, Calm) = (true, 0);
            return AlarmStep.Opened;
        }

        Calm = verdict.Score < threshold / 2 ? Calm + 1 : 0;
        if (Calm < CalmPoints)
            return AlarmStep.Lasts;
        IsOpen = false;
        return AlarmStep.Closed;
    }
}

public enum AlarmStep
{
    None,
    Opened,
    Lasts,
    Closed,
}
