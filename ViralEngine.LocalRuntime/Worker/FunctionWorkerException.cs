namespace Microsoft.Azure.Functions.Worker;

#pragma warning disable CA1032 // The real one has these constructors only.
/// <summary>A failure of the worker rather than of the function's code.</summary>
public class FunctionWorkerException : Exception
{
    public FunctionWorkerException(string? message)
        : base(message)
    {
    }

    public FunctionWorkerException(string? message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
#pragma warning restore CA1032
