namespace ViralEngine.Console.Home;

/// <summary>Rates are shares of what finished; null where nothing did.</summary>
public sealed record HomeNumbers(
    decimal SpentUsd, decimal? BudgetUsd, long FinishedLastDay, double? ErrorRateLastDay, double? ErrorRateLastHour);
