using Microsoft.Azure.Functions.Worker.Converters;
using ViralEngine.LocalRuntime.Http;

namespace Microsoft.Azure.Functions.Worker.Http;

/// <summary>Reads a parameter from the request's JSON body. A body that does not fit is a 500.</summary>
public class FromBodyAttribute() : InputConverterAttribute(typeof(JsonBody));
