Console.WriteLine("usage: see ./dev --help");
