namespace ViralEngine.Core.Outgoing;

/// <summary>
/// An outgoing call to a forbidden address. The message has no address, to disclose nothing about internal networks.
/// </summary>
public sealed class OutgoingRefusedException(string host)
    : Exception($"{host} is a host that outgoing calls must not reach");

/// <summary>A response body exceeds its maximum size.</summary>
public sealed class ResponseTooLargeException(long limit)
    : IOException($"The answer is larger than {limit} bytes");
