using System.Diagnostics;
using System.Globalization;

namespace ViralEngine.Torture.Stack;

/// <summary>
/// The disk of one database: a file system in memory, which is full as soon as it is made as small as what it holds.
/// Only root can mount one; others get a folder that cannot be filled.
/// </summary>
internal sealed class Disk : IDisposable
{
    private const int Megabytes = 6144;

    private Disk(string path, bool canBeFilled) => (Path, CanBeFilled) = (path, canBeFilled);

    public string Path { get; }

    public bool CanBeFilled { get; }

    /// <summary>Where the server keeps its data.</summary>
    public string Folder => System.IO.Path.Combine(Path, "data");

    public static Disk Create()
    {
        var path = Directory.CreateTempSubdirectory("viral-engine-torture-").FullName;
        var mounted = Environment.UserName == "root"
            && Try("mount", "-t", "tmpfs", "-o", $"size={Megabytes}m,mode=0777", "tmpfs", path);
        // The server has a user of its own where this is root.
        if (!mounted && Environment.UserName == "root")
            Try("chmod", "777", path);
        return new Disk(path, mounted);
    }

    /// <summary>Takes all that is free. False: the server was quicker each time.</summary>
    public bool TryFill()
    {
        for (var spare = 64; spare <= 8192; spare *= 2)
        {
            var drive = new DriveInfo(Path);
            var used = (drive.TotalSize - drive.TotalFreeSpace) / 1024;
            if (Try("mount", "-o", $"remount,size={(used + spare).ToString(CultureInfo.InvariantCulture)}k", Path))
                return true;
        }

        return false;
    }

    public void Free() => Try("mount", "-o", $"remount,size={Megabytes}m", Path);

    public void Dispose()
    {
        if (CanBeFilled)
            Try("umount", "-l", Path);
        Try("rm", "-rf", Path);
    }

    private static bool Try(string program, params string[] args)
    {
        using var process = Process.Start(new ProcessStartInfo(program, args) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
