// One class more than the processors of a small machine: some of them wait for leases to lapse or for minutes to pass.
[assembly: CollectionBehavior(MaxParallelThreads = 3)]
