using ViralEngine.Dev;

if (args.Length == 0)
{
    Console.Error.WriteLine("This is the C# part of ./dev; see ./dev --help.");
    return 2;
}

try
{
    var options = new CommandOptions(args[1..]);
    return args[0] switch
    {
        "redis" => RedisCommand.Run(options),
        "azure-database" => await AzureDatabaseCommand.RunAsync(options, CancellationToken.None),
        "migrate" => await MigrateCommand.RunAsync(options, CancellationToken.None),
        "demo" => await DemoCommand.RunAsync(CancellationToken.None),
        "token" => TokenCommand.Run(options, TimeProvider.System),
        _ => throw new UsageException($"unknown command: {args[0]}"),
    };
}
catch (UsageException wrong)
{
    Console.Error.WriteLine($"dev: {wrong.Message}");
    return 2;
}
