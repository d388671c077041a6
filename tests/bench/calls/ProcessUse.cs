using System.Diagnostics;

namespace ViralEngine.Bench;

/// <summary>What a process has used so far.</summary>
internal sealed record ProcessUse(TimeSpan Cpu, long Bytes)
{
    public static ProcessUse Of(int processId)
    {
        using var process = Process.GetProcessById(processId);
        return new ProcessUse(process.TotalProcessorTime, process.WorkingSet64);
    }
}
