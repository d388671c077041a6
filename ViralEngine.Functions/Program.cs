Console.WriteLine("viral engine");
