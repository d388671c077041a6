using ViralEngine.Core.Organizations;

namespace ViralEngine.Functions.Requests;

/// <summary>Who may call the endpoint. An endpoint without it is public.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class AllowAttribute(Role roles) : Attribute
{
    public Role Roles { get; } = roles;
}

/// <summary>Anybody with a person's token may call the endpoint, member of an organization or not; it finds out itself who it is.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class AllowPeopleAttribute : Attribute;

/// <summary>One line on what the endpoint does, for the API's document.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SummaryAttribute(string text) : Attribute
{
    public string Text { get; } = text;
}

/// <summary>The record that the request's JSON body is read into. One for each content type that is taken.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class BodyAttribute(Type type) : Attribute
{
    public Type Type { get; } = type;

    public string ContentType { get; init; } = "application/json";

    /// <summary>The request may have no body at all.</summary>
    public bool IsOptional { get; init; }
}

/// <summary>The record that the query is read into.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class QueryAttribute(Type type) : Attribute
{
    public Type Type { get; } = type;

    /// <summary>The content type of the bodies that it goes with; others take none of its parameters.</summary>
    public string? OnlyFor { get; init; }
}

/// <summary>One of the endpoint's answers; problems that any endpoint may give are not listed.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class ReturnsAttribute(int status, Type? type = null) : Attribute
{
    public int Status { get; } = status;

    public Type? Type { get; } = type;

    public string ContentType { get; init; } = "application/json";

    public string? Description { get; init; }

    /// <summary>Of a stream: the written schema of what each of its events has as data.</summary>
    public string? EventData { get; init; }
}

/// <summary>What the API's document calls the operation, where the host's order of routes wants another name of the function.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OperationIdAttribute(string id) : Attribute
{
    public string Id { get; } = id;
}

/// <summary>The same as another endpoint, under an address from before; the API's document has only the other.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class FormerAddressAttribute : Attribute;

/// <summary>The endpoint reads its body as it comes; everywhere else it is received before the endpoint runs.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class StreamsBodyAttribute : Attribute;

/// <summary>The endpoint's result is written as it is read, for as long as the client takes to read it.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class StreamsResultAttribute : Attribute;

/// <summary>
/// The endpoint waits for others: a client that sends, a provider, a receiver. No transaction is open around it, whatever the request
/// asks for; what belongs together it stores last, in a transaction of its own, and what has an <c>Idempotency-Key</c> joins that.
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
