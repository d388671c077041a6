using ViralEngine.Core.Texts;

namespace ViralEngine.Core.Agents;

/// <summary>Why a call failed. Decides whether it is retried.</summary>
public enum ErrorClass
{
    /// <summary>The provider rejected the request (400, 404, 422 and the like). Final.</summary>
    InvalidRequest,

    /// <summary>The credentials were rejected (401, 403). Final.</summary>
    Unauthorized,

    /// <summary>Too many requests (429). Retried, not before the provider's Retry-After.</summary>
    RateLimited,

    /// <summary>5xx, no connection, or an incomplete answer. Retried.</summary>
    Unavailable,

    /// <summary>No answer in time, or too long a silence within one. Retried.</summary>
    Timeout,

    /// <summary>An unreadable answer, most often cut or garbled on the way. Retried like Unavailable.</summary>
    Malformed,

    /// <summary>The answer is larger than allowed. Final: the next one would be too, and costs money.</summary>
    TooLarge,

    /// <summary>The model reached its token limit, and the agent rejects incomplete answers. Final.</summary>
    Truncated,

    /// <summary>The address is one that outgoing calls must not reach. Final.</summary>
    Refused,

    /// <summary>The month's budget does not cover the call. Final, but a cheaper fallback may be called.</summary>
    BudgetExceeded,

    /// <summary>A bug of this app. Final.</summary>
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
        ErrorClass.Truncated => "truncated",
        ErrorClass.Refused => "refused",
        ErrorClass.BudgetExceeded => "budget_exceeded",
        ErrorClass.Internal => "internal",
    };
}

/// <summary>Why a call waits. Waiting is not an attempt.</summary>
public enum WaitReason
{
    /// <summary>The provider is failing or asked for a pause.</summary>
    Provider,

    /// <summary>A limit of the agent or its provider on requests, tokens or concurrent calls.</summary>
    Limit,

    /// <summary>Running calls have reserved the rest of the budget.</summary>
    Budget,

    /// <summary>The answers in flight use all memory reserved for them.</summary>
    Memory,

    /// <summary>An alert has paused the agent until it is resolved.</summary>
    Alert,
}

public static class WaitReasons
{
    /// <summary>As the API and the database spell it.</summary>
    public static string ToText(this WaitReason reason) => reason switch
    {
        WaitReason.Provider => "provider",
        WaitReason.Limit => "limit",
        WaitReason.Budget => "budget",
        WaitReason.Memory => "memory",
        WaitReason.Alert => "alert",
    };
}

/// <summary>What a failure says about the host, independent of the tenant.</summary>
public enum HostEvidence
{
    /// <summary>Nothing: it was not called, or not given enough time.</summary>
    None,

    /// <summary>It responds: with a 4xx, a limit of one key, or an unreadable answer.</summary>
    Alive,

    /// <summary>
    /// It cannot be reached or does not work: no connection, no TLS, 5xx, silence, a lost connection.
    /// </summary>
    Failing,
}

/// <summary>
/// A provider's failure. The message is for the user: what happened at which host, without secrets, quoting only the
/// error text of the response.
/// </summary>
public sealed class AgentException(
    ErrorClass errorClass,
    string message,
    TimeSpan? retryAfter = null,
    Exception? inner = null) : Exception(OutsideText.Of(message), inner)
{
    public ErrorClass ErrorClass { get; } = errorClass;

    /// <summary>The pause that the provider asked for, if any.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;

    /// <summary>What the call would have to wait for; null if it was made.</summary>
    public WaitReason? WaitsFor { get; init; }

    /// <summary>What counts for the breaker that tenants share.</summary>
    public HostEvidence Evidence { get; init; }

    /// <summary>The provider reported within its answer that it has too much to do, as 503 would.</summary>
    public bool IsOverload { get; init; }
}
