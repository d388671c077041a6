using ViralEngine.Core.Organizations;

namespace ViralEngine.Functions.Requests;

/// <summary>Who may call the endpoint. An endpoint without it is public.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class AllowAttribute(Role roles) : Attribute
{
    public Role Roles { get; } = roles;
}

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
}

/// <summary>One of the endpoint's answers; problems that any endpoint may give are not listed.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class ReturnsAttribute(int status, Type? type = null) : Attribute
{
    public int Status { get; } = status;

    public Type? Type { get; } = type;

    public string ContentType { get; init; } = "application/json";

    public string? Description { get; init; }
}
