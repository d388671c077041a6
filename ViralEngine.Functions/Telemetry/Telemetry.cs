using Azure.Monitor.OpenTelemetry.Exporter;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using ViralEngine.Core.Agents;

namespace ViralEngine.Functions.Telemetry;

/// <summary>
/// Traces, metrics and logs by OpenTelemetry: over OTLP when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set, to Application
/// Insights when
/// <c>APPLICATIONINSIGHTS_CONNECTION_STRING</c> is; without either, nothing is collected. The SDK reads its other OTEL_
/// settings itself.
/// </summary>
internal static class Telemetry
{
    private static readonly string[] Sources =
    [
        "Microsoft.AspNetCore", "Microsoft.Azure.Functions.Worker", "Microsoft.DurableTask", AgentRunner.Source.Name,
    ];

    public static IServiceCollection AddTelemetry(this IServiceCollection services, IConfiguration configuration)
    {
        var otlp = configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is { Length: > 0 };
        var insights = configuration["APPLICATIONINSIGHTS_CONNECTION_STRING"];
        if (!otlp && string.IsNullOrEmpty(insights))
            return services;

        // The host then leaves the export of the worker's logs to the worker, and accepts its spans as children of its
        // own.
        services.Configure<WorkerOptions>(options =>
        {
            options.Capabilities["WorkerOpenTelemetryEnabled"] = bool.TrueString;
            options.Capabilities["WorkerOpenTelemetrySchemaVersion"] = "1.37.0";
        });

        var telemetry = services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("viral-engine"))
            .WithTracing(tracing => tracing.AddSource(Sources).AddNpgsql().AddHttpClientInstrumentation())
            .WithMetrics(
                metrics => metrics.AddMeter("Npgsql", "Microsoft.AspNetCore.Hosting", "Polly", AgentRunner.Source.Name))
            .WithLogging();
        if (otlp)
            telemetry.UseOtlpExporter();
        if (insights is { Length: > 0 })
        {
            // On Azure, Application Insights accepts nothing without an identity's token.
            var credential = configuration.AzureCredential();
            telemetry
                .WithTracing(tracing => tracing.AddAzureMonitorTraceExporter(Set))
                .WithMetrics(metrics => metrics.AddAzureMonitorMetricExporter(Set))
                .WithLogging(logging => logging.AddAzureMonitorLogExporter(Set));

            void Set(AzureMonitorExporterOptions options)
            {
                options.ConnectionString = insights;
                options.Credential = credential;
            }
        }

        return services;
    }
}
