using ViralEngine.Core.Texts;

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

    /// <summary>The model reached its limit before the end, and the agent is not to take half an answer. Final.</summary>
    Truncated,

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
        ErrorClass.Truncated => "truncated",
        ErrorClass.Refused => "refused",
        ErrorClass.BudgetExceeded => "budget_exceeded",
        _ => "internal",
    };
}

/// <summary>Why a call is not made now though nothing is wrong with it: it waits, and that is no attempt.</summary>
public enum WaitReason
{
    /// <summary>The provider fails, or asked to be left alone.</summary>
    Provider,

    /// <summary>Requests, tokens or calls at a time that the agent or its provider allows.</summary>
    Limit,

    /// <summary>Calls that run have reserved what is left of the budget.</summary>
    Budget,

    /// <summary>Answers in flight take the memory there is for them.</summary>
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
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, null),
    };
}

/// <summary>What a failure tells about the host that was called, apart from the tenant who called it.</summary>
public enum HostEvidence
{
    /// <summary>Nothing: it was not asked, or was not given the time to answer.</summary>
    None,

    /// <summary>It answers, whatever it says: a 4xx, a limit of one key, an answer that we cannot read.</summary>
    Alive,

    /// <summary>It cannot be reached or does not work: no connection, no TLS, 5xx, silence, a broken connection.</summary>
    Failing,
}

/// <summary>
/// A provider's failure. The message is for the user: what happened at which host, without secrets and without
/// anything of the answer's body that is not meant as an error text.
/// </summary>
public sealed class AgentException(
    ErrorClass errorClass,
    string message,
    TimeSpan? retryAfter = null,
    Exception? inner = null) : Exception(OutsideText.Of(message), inner)
{
    public ErrorClass ErrorClass { get; } = errorClass;

    /// <summary>How long the provider wants to be left alone, when it said so.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;

    /// <summary>What the call would have had to wait for; null: it was made.</summary>
    public WaitReason? WaitsFor { get; init; }

    /// <summary>Only this counts in a breaker that tenants share.</summary>
    public HostEvidence Evidence { get; init; }
}
