using System.Globalization;

namespace ViralEngine.Infrastructure.Tests.Scripts;

/// <summary>What a former deployment has left in azd's environment does not stop the next.</summary>
public sealed class OperatorTests
{
    private const string Former = "2026-01-01";

    // A budget that is made may begin in no month before this one, and one that is there keeps its beginning.
    [Theory]
    [InlineData("", false)]
    [InlineData("32", true)]
    public async Task A_budget_begins_anew_only_where_nothing_is_left_of_the_deployment(string storage, bool kept)
    {
        using var machine = new StandIns("try");
        machine.Answer("az postgres flexible-server list *", storage);
        await machine.RunAsync($"azd env set VIRAL_BUDGET_START {Former}");

        var ran = await machine.RunAsync(AzdUp.Commands[0]);

        Assert.True(ran.ExitCode == 0, ran.ToString());
        Assert.Equal(
            kept ? Former : DateTime.UtcNow.ToString("yyyy-MM-01", CultureInfo.InvariantCulture),
            machine.Remembered["VIRAL_BUDGET_START"]);
    }
}
