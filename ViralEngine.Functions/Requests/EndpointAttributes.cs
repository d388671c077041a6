using ViralEngine.Core.Organizations;

namespace ViralEngine.Functions.Requests;

/// <summary>Who may call the endpoint. An endpoint without it is public.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class AllowAttribute(Role roles) : Attribute
{
    public Role Roles { get; } = roles;
}

/// <summary>
/// Anybody with a person's token may call the endpoint, even without an organization. The endpoint authenticates the
/// caller itself.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class AllowPeopleAttribute : Attribute;

/// <summary>One line on what the endpoint does, for the API's document.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SummaryAttribute(string text) : Attribute
{
    public string Text { get; } = text;
}

/// <summary>The record that the request's JSON body is read into. One for each supported content type.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class BodyAttribute(Type type) : Attribute
{
    public Type Type { get; } = type;

    public string ContentType { get; init; } = "application/json";

    /// <summary>The body may be omitted.</summary>
    public bool IsOptional { get; init; }
}

/// <summary>The record that the query is read into.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class QueryAttribute(Type type) : Attribute
{
    public Type Type { get; } = type;

    /// <summary>The only content type of bodies that allows these parameters.</summary>
    public string? OnlyFor { get; init; }
}

/// <summary>One of the endpoint's responses; problems that any endpoint may return are not listed.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class ReturnsAttribute(int status, Type? type = null) : Attribute
{
    public int Status { get; } = status;

    public Type? Type { get; } = type;

    public string ContentType { get; init; } = "application/json";

    public string? Description { get; init; }

    /// <summary>For a stream: the written schema of its events' data.</summary>
    public string? EventData { get; init; }
}

/// <summary>
/// The operation's id in the API's document, where the host's order of routes requires another function name.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OperationIdAttribute(string id) : Attribute
{
    public string Id { get; } = id;
}

/// <summary>A former address of another endpoint; the API's document has only the current one.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class FormerAddressAttribute : Attribute;

/// <summary>The endpoint reads its body as a stream; all other bodies are received before the endpoint runs.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class StreamsBodyAttribute : Attribute;

/// <summary>The endpoint's result is streamed, for as long as the client takes to read it.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class StreamsResultAttribute : Attribute;

/// <summary>
/// The endpoint waits for others: a client that sends, a provider, a receiver. No transaction is open around it. It
/// stores its changes last, in a transaction of its own, which the record of an <c>Idempotency-Key</c> joins.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class WaitsForOthersAttribute : Attribute
{
    public static HashSet<string> FunctionsIn(EndpointCatalog endpoints) =>
    [
        .. endpoints.All
            .Where(endpoint => endpoint.Method.IsDefined(typeof(WaitsForOthersAttribute), false))
            .Select(endpoint => endpoint.Function),
    ];
}
