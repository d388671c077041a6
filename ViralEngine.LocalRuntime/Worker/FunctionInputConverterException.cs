namespace Microsoft.Azure.Functions.Worker;

#pragma warning disable CA1032 // The real one has these constructors only.
/// <summary>A parameter has no value, or one that does not convert. Unless middleware takes it, the answer is a 500.
/// </summary>
public class FunctionInputConverterException : FunctionWorkerException
{
    public FunctionInputConverterException(string? message)
        : base(message)
    {
    }

    public FunctionInputConverterException(string? message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
#pragma warning restore CA1032
