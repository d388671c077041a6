namespace ViralEngine.Console.Home;

/// <summary>Rates are shares of finished work; null if nothing finished.</summary>
public sealed record HomeNumbers(
    decimal SpentUsd, decimal? BudgetUsd, long FinishedLastDay, double? ErrorRateLastDay, double? ErrorRateLastHour);
