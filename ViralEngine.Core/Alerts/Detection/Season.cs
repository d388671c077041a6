namespace ViralEngine.Core.Alerts.Detection;

/// <summary>
/// The expected value: the recent level, or the usual value at this time of day or of the week, whichever has been the
/// most accurate. Times are UTC: after a clock change, the shape is shifted by an hour.
/// </summary>
/// <param name="followsClocks">Whether the series follows people's clocks.</param>
internal sealed class Season(int dailyMinutes, int weeklyMinutes, bool followsClocks)
{
    private const int Day = 1440;
    private const int Week = 7 * Day;
    private const int Hour = 60;

    /// <summary>Errors are averaged over a week, so that a shape that fits only working days does not win.</summary>
    private const double ErrorRate = 1.0 / Week;

    /// <summary>
    /// A clock change is assumed when the shape shifted by an hour had this share of the error for half a day.
    /// </summary>
    private const double HourRate = 2.0 / Day;
    private const double Moved = 0.85;

    /// <summary>
    /// Errors are clipped at this many mean errors, so that neither an incident nor a heavy tail decides what is usual.
    /// </summary>
    private const double Clip = 4;

    /// <summary>
    /// A season is adopted when its error falls below this share of the level's, and dropped above the second.
    /// </summary>
    private const double Adopt = 0.93;
    private const double Abandon = 0.99;

    /// <summary>How much better the week must be than the day to switch between them.</summary>
    private const double Better = 0.9;

    private readonly Profile daily = new(Day / dailyMinutes, dailyMinutes, slowest: 0.15f);
    private readonly Profile weekly = new(Week / weeklyMinutes, weeklyMinutes, slowest: 0.3f);
    private readonly double[] errors = new double[3];

    /// <summary>The errors of the season an hour later, unshifted, and an hour earlier.</summary>
    private readonly double[] hourErrors = new double[3];
    private readonly int[] judged = new int[3];
    private long firstMinute = -1;
    private long chosenAt;
    private long lastMinute;
    private int spacing = Day;
    private int seen;

    public int MaxBytes => 101 + daily.Bytes + weekly.Bytes;

    public SeasonKind Kind { get; private set; }

    public double Level { get; private set; }

    /// <summary>The mean absolute error of the expected value.</summary>
    public double Error => errors[(int)Kind];

    public double Expect(long minute) => At(Kind, minute);

    /// <param name="levelRate">How fast the level adapts.</param>
    /// <param name="quarantined">Whether to keep the level and learn little of the known shape. Unknown slots are
    /// learned, or the first weekend never would be.</param>
    public void Learn(long minute, double value, double levelRate, bool quarantined)
    {
        if (firstMinute < 0)
            (firstMinute, chosenAt, Level) = (minute, minute, value);
        else if (minute > lastMinute)
            spacing = (int)Math.Min(spacing, minute - lastMinute);
        lastMinute = minute;
        for (var kind = SeasonKind.None; kind <= SeasonKind.Weekly; kind++)
        {
            if (Knows(kind, minute))
                LearnError((int)kind, Math.Abs(value - At(kind, minute)));
        }

        if (followsClocks && Kind != SeasonKind.None)
            FollowClocks(minute, value);
        seen++;
        if (!quarantined)
            Level += Math.Max(levelRate, 1.0 / seen) * (value - Level);
        daily.Learn(minute, value, Clip * Error, spacing, quarantined);
        weekly.Learn(minute, value, Clip * Error, spacing, quarantined);
        if (minute - chosenAt >= Day)
            Choose(minute);
    }

    /// <summary>Accepts a lasting shift as the new normal: scales all expected values, then offsets them.</summary>
    public void Rebase(double factor, double move)
    {
        Level = (Level * factor) + move;
        daily.Rebase((float)factor, (float)move);
        weekly.Rebase((float)factor, (float)move);
    }

    public void Write(ref StateWriter writer)
    {
        writer.Byte((byte)Kind);
        writer.Long(firstMinute);
        writer.Long(chosenAt);
        writer.Long(lastMinute);
        writer.Int(spacing);
        writer.Double(Level);
        writer.Int(seen);
        for (var i = 0; i < errors.Length; i++)
        {
            writer.Double(errors[i]);
            writer.Int(judged[i]);
        }

        foreach (var error in hourErrors)
            writer.Double(error);
        daily.Write(ref writer);
        weekly.Write(ref writer);
    }

    public void Read(ref StateReader reader)
    {
        Kind = (SeasonKind)reader.Byte();
        firstMinute = reader.Long();
        chosenAt = reader.Long();
        lastMinute = reader.Long();
        spacing = reader.Int();
        Level = reader.Double();
        seen = reader.Int();
        for (var i = 0; i < errors.Length; i++)
        {
            errors[i] = reader.Double();
            judged[i] = reader.Int();
        }

        foreach (ref var error in hourErrors.AsSpan())
            error = reader.Double();
        daily.Read(ref reader);
        weekly.Read(ref reader);
    }

    private double At(SeasonKind kind, long minute) => kind switch
    {
        SeasonKind.Daily when daily.Has(minute) => daily.At(minute),
        SeasonKind.Weekly when weekly.Has(minute) => weekly.At(minute),
        _ => Level,
    };

    private bool Knows(SeasonKind kind, long minute) => kind switch
    {
        SeasonKind.None => seen > 0,
        SeasonKind.Daily => minute - firstMinute >= Day && daily.Has(minute),
        _ => minute - firstMinute >= Week && weekly.Has(minute),
    };

    private void LearnError(int kind, double miss)
    {
        judged[kind]++;
        if (judged[kind] > 100)
            miss = Math.Min(miss, Clip * errors[0]);
        errors[kind] += Math.Max(ErrorRate, 1.0 / judged[kind]) * (miss - errors[kind]);
    }

    private void Choose(long minute)
    {
        var kind = minute - firstMinute >= Week + Day && errors[2] < Better * errors[1]
            ? SeasonKind.Weekly
            : SeasonKind.Daily;
        if (kind == SeasonKind.Daily && Kind == SeasonKind.Weekly && errors[1] > Better * errors[2])
            kind = SeasonKind.Weekly;
        var known = minute - firstMinute >= 2 * Day && errors[0] > 0;
        if (!known || errors[(int)kind] > Abandon * errors[0])
            kind = SeasonKind.None;
        else if (Kind == SeasonKind.None && errors[(int)kind] > Adopt * errors[0])
            kind = SeasonKind.None;
        if (kind != Kind)
            (Kind, chosenAt) = (kind, minute);
    }

    /// <summary>Shifts the whole shape by an hour after a clock change.</summary>
    private void FollowClocks(long minute, double value)
    {
        if (!Knows(Kind, minute - Hour) || !Knows(Kind, minute + Hour))
            return;
        for (var i = 0; i < hourErrors.Length; i++)
        {
            var miss = Math.Min(Math.Abs(value - At(Kind, minute + ((i - 1) * Hour))), Clip * errors[0]);
            hourErrors[i] += HourRate * (miss - hourErrors[i]);
        }

        var best = hourErrors[0] < hourErrors[2] ? 0 : 2;
        if (hourErrors[best] > Moved * hourErrors[1])
            return;
        daily.Rotate((best - 1) * Hour);
        weekly.Rotate((best - 1) * Hour);
        (hourErrors[1], hourErrors[best]) = (hourErrors[best], hourErrors[1]);
        hourErrors[2 - best] = hourErrors[best];
    }

    /// <summary>The usual value in each slot of a period.</summary>
    private sealed class Profile(int slots, int slotMinutes, float slowest)
    {
        /// <summary>Incidents are hardly learned, but what recurs every week eventually is.</summary>
        private const float QuarantinedShare = 0.2f;

        private readonly float[] values = new float[slots];
        private readonly byte[] visits = new byte[slots];

        public int Bytes => slots * (sizeof(float) + 1);

        public bool Has(long minute) => visits[Slot(minute)] > 0;

        public double At(long minute) => values[Slot(minute)];

        /// <summary>Each period counts equally, however many values it has in a slot.</summary>
        /// <param name="spacing">Minutes from one value to the next.</param>
        public void Learn(long minute, double value, double limit, int spacing, bool quarantined)
        {
            var slot = Slot(minute);
            var each = Math.Max(1f, (float)slotMinutes / spacing);
            var miss = value - values[slot];
            var settled = visits[slot] >= 3 * each;
            if (settled)
                miss = Math.Clamp(miss, -limit, limit);
            var rate = Math.Max(slowest / each, 1f / (visits[slot] + 1));
            values[slot] += (float)((settled && quarantined ? rate * QuarantinedShare : rate) * miss);
            if (visits[slot] < byte.MaxValue)
                visits[slot]++;
        }

        public void Rotate(int minutes)
        {
            var by = ((minutes / slotMinutes) + slots) % slots;
            Rotate(values, by);
            Rotate(visits, by);
        }

        public void Rebase(float factor, float move)
        {
            foreach (ref var value in values.AsSpan())
                value = (value * factor) + move;
        }

        public void Write(ref StateWriter writer)
        {
            writer.Floats(values);
            foreach (var count in visits)
                writer.Byte(count);
        }

        public void Read(ref StateReader reader)
        {
            reader.Floats(values);
            foreach (ref var count in visits.AsSpan())
                count = reader.Byte();
        }

        private static void Rotate<T>(T[] slots, int by)
        {
            T[] moved = [.. slots[by..], .. slots[..by]];
            moved.CopyTo(slots, 0);
        }

        private int Slot(long minute) => (int)(minute / slotMinutes % slots);
    }
}

internal enum SeasonKind
{
    None,
    Daily,
    Weekly,
}
