namespace ViralEngine.Core.Agents;

/// <summary>What kind of trouble a provider made; decides whether another attempt may help.</summary>
public enum ErrorClass
{
    /// <summary>The provider refuses the request as it is (400, 404, 422 and the like). Final.</summary>
    InvalidRequest,

    /// <summary>The credentials are not accepted (401, 403). Final.</summary>
    Unauthorized,

    /// <summary>Too many requests (429). Retried, not before what the provider's Retry-After says.</summary>
    RateLimited,

    /// <summary>5xx, refused connection, or the answer broke off. Retried.</summary>
    Unavailable,

    /// <summary>No answer in time, or none any more between two chunks. Retried.</summary>
    Timeout,

    /// <summary>An answer that cannot be read: most often cut or garbled on the way. Retried like Unavailable.</summary>
    Malformed,

    /// <summary>The answer is larger than allowed. Final: the next one would be too, and it costs money.</summary>
    TooLarge,

    /// <summary>The address is not one that outgoing calls may reach. Final.</summary>
    Refused,

    /// <summary>The month's money does not pay for the call. Final, but a cheaper fallback may do.</summary>
    BudgetExceeded,

    /// <summary>A fault of our own. Final.</summary>
    Internal,
}

public static class ErrorClassRules
{
    public static bool IsRetryable(this ErrorClass errorClass) => errorClass is
        ErrorClass.RateLimited or ErrorClass.Unavailable or ErrorClass.Timeout or ErrorClass.Malformed;

    /// <summary>The class as the API spells it: <c>rate_limited</c>.</summary>
    public static string ToApiName(this ErrorClass errorClass) => errorClass switch
    {
        ErrorClass.InvalidRequest => "invalid_request",
        ErrorClass.Unauthorized => "unauthorized",
        ErrorClass.RateLimited => "rate_limited",
        ErrorClass.Unavailable => "unavailable",
        ErrorClass.Timeout => "timeout",
        ErrorClass.Malformed => "malformed",
        ErrorClass.TooLarge => "too_large",
        ErrorClass.Refused => "refused",
        ErrorClass.BudgetExceeded => "budget_exceeded",
        _ => "internal",
    };
}

/// <summary>
/// A provider's failure. The message is for the user: what happened at which host, without secrets and without
/// anything of the answer's body that is not meant as an error text.
/// </summary>
public sealed class AgentException(
    ErrorClass errorClass,
    string message,
    TimeSpan? retryAfter = null,
    Exception? inner = null) : Exception(message, inner)
{
    public ErrorClass ErrorClass { get; } = errorClass;

    /// <summary>How long the provider wants to be left alone, when it said so.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;
}
