using ViralEngine.Core.Fields;

namespace ViralEngine.Functions.Requests;

internal static class FieldErrorsProblem
{
    /// <exception cref="ProblemException">400 if there are any.</exception>
    public static void ThrowIfAny(this FieldErrors errors)
    {
        if (errors.Any)
            throw new ProblemException(Problem.Validation(errors.ToDictionary()));
    }
}
