namespace ViralEngine.Core.Outgoing;

/// <summary>An outgoing call to where none may go. Says no address, so that nobody learns our networks from it.</summary>
public sealed class OutgoingRefusedException(string host)
    : Exception($"{host} is a host that outgoing calls must not reach");

/// <summary>An answer's body exceeds what is read of it.</summary>
public sealed class ResponseTooLargeException(long limit)
    : IOException($"The answer is larger than {limit} bytes");
