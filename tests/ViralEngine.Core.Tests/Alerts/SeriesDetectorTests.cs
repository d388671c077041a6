using ViralEngine.Core.Alerts.Detection;
using ViralEngine.Testing.Traffic;

namespace ViralEngine.Core.Tests.Alerts;

[Trait("Category", "Slow")]
public sealed class SeriesDetectorTests
{
    private const int Day = 1440;
    private static readonly long Start = Observation.MinuteOf(new DateTime(2030, 1, 7, 0, 0, 0, DateTimeKind.Utc));

    public static TheoryData<SeriesKind> Kinds =>
        [SeriesKind.Value, SeriesKind.Count, SeriesKind.Rate, SeriesKind.Amount];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_state_goes_on_from_its_bytes_as_if_it_had_never_stopped(SeriesKind kind)
    {
        var whole = new SeriesDetector(kind);
        var pieces = new SeriesDetector(kind);
        var noise = new Noise(3);
        for (var minute = 0; minute < 4 * Day; minute++)
        {
            var point = Usual(kind, minute, noise);
            var expected = whole.Observe(point);
            if (minute % 97 == 0)
                pieces = SeriesDetector.TryRead(pieces.Write())!;

            AssertSame(expected, pieces.Observe(point));
        }

        Assert.Equal(whole.Threshold(1), pieces.Threshold(1));
    }

    // Numbers are stored in single precision.
    private static void AssertSame(Verdict expected, Verdict actual)
    {
        Assert.Equal(expected.Score, actual.Score, 1e-3);
        Assert.Equal(expected.Expected, actual.Expected, Math.Abs(expected.Expected) * 1e-5);
        Assert.Equal(expected.Low, actual.Low, Math.Abs(expected.Low) * 1e-5);
        Assert.Equal(expected.High, actual.High, Math.Abs(expected.High) * 1e-5);
        Assert.Equal(
            (expected.Direction, expected.IsRecord, expected.ScaleMinutes, expected.Settled),
            (actual.Direction, actual.IsRecord, actual.ScaleMinutes, actual.Settled));
    }

    [Theory]
    [InlineData(SeriesKind.Value, 34_000)]
    [InlineData(SeriesKind.Count, 7_000)]
    [InlineData(SeriesKind.Rate, 4_000)]
    [InlineData(SeriesKind.Amount, 6_000)]
    public void A_state_stays_small_however_long_it_learns(SeriesKind kind, int most)
    {
        var (detector, _) = Learn(kind, 60 * Day);

        Assert.InRange(detector.Write().Length, 100, most);
    }

    [Fact]
    public void A_state_of_another_version_is_not_guessed_at()
    {
        var state = new SeriesDetector(SeriesKind.Rate).Write();
        state[0]++;

        Assert.Null(SeriesDetector.TryRead(state));
    }

    [Fact]
    public void An_error_rate_over_three_tasks_is_not_one_over_three_thousand()
    {
        var (few, minute) = Learn(SeriesKind.Rate, 10 * Day);
        var (many, _) = Learn(SeriesKind.Rate, 10 * Day);

        var ofThree = few.Observe(new(minute, 1, 3));
        var ofThousands = many.Observe(new(minute, 1_000, 3_000));

        Assert.True(ofThree.Score < few.Threshold(0.5), $"one of three scored {ofThree.Score}");
        Assert.True(ofThousands.Score >= many.Threshold(0.5), $"1,000 of 3,000 scored {ofThousands.Score}");
        Assert.Equal(1, ofThousands.Direction);
    }

    [Fact]
    public void The_first_error_ever_raises_nothing()
    {
        var detector = new SeriesDetector(SeriesKind.Rate);
        long minute = Start;
        for (; minute < Start + (7 * Day); minute++)
            detector.Observe(new(minute, 0, 5));

        var first = detector.Observe(new(minute, 1, 5));

        Assert.True(first.Score < detector.Threshold(0.5), $"it scored {first.Score}");
    }

    [Fact]
    public void Silence_where_there_was_always_something_is_found_within_five_minutes()
    {
        var (detector, minute) = Learn(SeriesKind.Count, 21 * Day);
        var alarm = new AlarmState();

        var step = AlarmStep.None;
        for (var silent = 0; silent < 5 && step != AlarmStep.Opened; silent++, minute++)
        {
            var verdict = detector.Observe(new(minute, 0, 1));
            step = alarm.Step(verdict, detector.Threshold(0.5));
            Assert.Equal(-1, verdict.Direction);
        }

        Assert.Equal(AlarmStep.Opened, step);
    }

    [Fact]
    public void Nothing_seen_is_not_zero()
    {
        var (detector, minute) = Learn(SeriesKind.Amount, 14 * Day);
        var highest = 0.0;
        for (var missing = 0; missing < Day; missing++, minute++)
            highest = Math.Max(highest, detector.Observe(new(minute, 0, 0)).Score);

        Assert.True(highest < detector.Threshold(0.5), $"a day without a task scored {highest}");
    }

    [Fact]
    public void What_is_judged_is_not_in_what_was_expected_of_it()
    {
        var (one, minute) = Learn(SeriesKind.Count, 7 * Day);
        var (other, _) = Learn(SeriesKind.Count, 7 * Day);

        var spike = one.Observe(new(minute, 2_000, 1));
        var another = other.Observe(new(minute, 4_000, 1));

        // Per minute; one of these among a hundred would be 40 or 60.
        Assert.InRange(spike.Expected, 10, 35);
        Assert.InRange(another.Expected, 10, 35);
    }

    [Fact]
    public void A_shift_that_lasts_becomes_what_is_usual()
    {
        var (detector, minute) = Learn(SeriesKind.Rate, 14 * Day);
        var noise = new Noise(9);
        var alarm = new AlarmState();
        var opened = 0;
        var last = AlarmStep.None;
        for (var i = 0; i < 4 * Day; i++, minute++)
        {
            last = alarm.Step(detector.Observe(new(minute, noise.Binomial(40, 0.2), 40)), detector.Threshold(0.5));
            opened += last == AlarmStep.Opened ? 1 : 0;
        }

        Assert.InRange(opened, 1, 2);
        Assert.False(alarm.IsOpen);
    }

    [Fact]
    public void Three_tasks_a_day_raise_nothing_in_a_year()
    {
        var year = WatchedYear.Of(new TrafficYear(3.0 / Day, seed: 5));

        Assert.Equal(0, year.Wrong.Sum());
        Assert.Empty(year.Found);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(2_000)]
    public void A_year_s_incidents_are_found_in_time_and_few_alarms_are_false(double perMinute)
    {
        var traffic = new TrafficYear(perMinute, seed: 11);

        var year = WatchedYear.Of(traffic);

        var visible = traffic.Incidents.Where(incident => incident.Visible is not null).ToArray();
        Assert.Equal(23, visible.Length);
        Assert.All(visible, incident =>
            Assert.InRange(
                year.Found.GetValueOrDefault(incident, int.MaxValue), 1, incident.Kind == IncidentKind.Drift ? 60 : 5));
        // Of each of the three series, and with what its user allows twice over.
        Assert.All(year.Wrong, wrong => Assert.InRange(wrong / 12.0, 0, 1));
    }

    /// <summary>Within a factor of two of what is allowed, from the third week on.</summary>
    [Theory]
    [InlineData("gaussian")]
    [InlineData("poisson")]
    [InlineData("log-normal")]
    [InlineData("autocorrelated")]
    public void Noise_alarms_about_as_often_as_is_allowed(string kind)
    {
        const int Series = 30, Days = 60, Learning = 20;
        const double Allowed = 2;
        var opened = 0;
        Parallel.For(0, Series, series =>
        {
            var noise = new Noise(1_000 + series);
            var (detector, next) = Make(kind, noise);
            var alarm = new AlarmState();
            for (var minute = 0; minute < Days * Day; minute++)
            {
                var step = alarm.Step(
                    detector.Observe(next() with { Minute = Start + minute }), detector.Threshold(Allowed));
                if (step == AlarmStep.Opened && minute >= Learning * Day)
                    Interlocked.Increment(ref opened);
            }
        });

        Assert.InRange(opened / (double)Series / (Days - Learning) * 30, Allowed / 2, Allowed * 2);

        static (SeriesDetector, Func<Observation>) Make(string kind, Noise noise)
        {
            var last = 0.0;
            return kind switch
            {
                "gaussian" => (new(SeriesKind.Value), () => new(0, noise.Normal(), 1)),
                "poisson" => (new(SeriesKind.Count), () => new(0, noise.Poisson(100), 1)),
                "log-normal" => (new(SeriesKind.Amount), () => new(0, 0.6 * noise.Normal() / Math.Sqrt(30), 30)),
                _ => (new(SeriesKind.Value), () => new(0, last = (0.98 * last) + (0.2 * noise.Normal()), 1)),
            };
        }
    }

    [Fact]
    public void The_simple_mode_needs_a_hundred_points_and_leaves_the_one_under_test_out()
    {
        var detector = new SimpleDetector(SimpleRule.Deviation);
        var verdicts = Enumerable.Range(0, 101).Select(i => detector.Observe(new(Start + i, i % 2 == 0 ? 9 : 11, 1)))
            .ToArray();

        // Mean 10, deviation 1: 13 is the limit, and 16 is twice it.
        var verdict = detector.Observe(new(Start + 101, 16, 1));

        Assert.False(verdicts[99].Settled);
        Assert.True(verdicts[100].Settled);
        Assert.Equal(2, verdict.Score, 1);
        Assert.Equal(10, verdict.Expected, 1);
    }

    private static (SeriesDetector Detector, long Next) Learn(SeriesKind kind, int minutes)
    {
        var detector = new SeriesDetector(kind);
        var noise = new Noise(11);
        for (var minute = 0; minute < minutes; minute++)
            detector.Observe(Usual(kind, minute, noise));
        return (detector, Start + minutes);
    }

    /// <summary>Twenty tasks a minute with a daily shape, of which one in a hundred fails.</summary>
    private static Observation Usual(SeriesKind kind, int minute, Noise noise)
    {
        var tasks = noise.Poisson(20 + (10 * Math.Sin(2 * Math.PI * minute / Day)));
        return kind switch
        {
            SeriesKind.Count => new(Start + minute, tasks, 1),
            SeriesKind.Rate => new(Start + minute, noise.Binomial(tasks, 0.01), tasks),
            SeriesKind.Amount => new(Start + minute, tasks == 0 ? 0 : 0.6 * noise.Normal() / Math.Sqrt(tasks), tasks),
            _ => new(Start + minute, noise.Normal(), 1),
        };
    }
}
