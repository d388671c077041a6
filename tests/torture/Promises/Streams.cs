using System.Text.Json;

namespace ViralEngine.Torture.Promises;

/// <summary>Readers got everything once and in order, wherever they came back.</summary>
internal static class Streams
{
    public static void Check(Evidence evidence)
    {
        var events = evidence.NewPromise("a stream gives each event once and in order, from any instance");
        var texts = evidence.NewPromise("what a reader puts together is the stored answer");
        foreach (var stream in evidence.Recorder.Streams.Where(stream => stream.IsWhole))
        {
            var read = string.Join("\n", stream.Events.Select(item => $"      {item.Id} {item.Type} {item.Data}"));
            if (!evidence.Rows.Tasks.TryGetValue(stream.Task, out var task))
                continue;
            if (stream.Kind == "stream")
            {
                var stored = evidence.Rows.Events[stream.Task].Select(happened => (happened.Number, happened.Type));
                events.Expect(
                    stream.Events.Select(item => (item.Id, item.Type)).SequenceEqual(stored),
                    () => $"the events of task {stream.Task}, read over {stream.Connections} connections:\n{read}\n"
                        + $"    are stored as\n{evidence.Rows.HistoryOf(stream.Task)}");
                continue;
            }

            events.Expect(
                IsInOrder(stream.Events),
                () => $"the response of task {stream.Task}, read over {stream.Connections} connections, "
                    + $"is out of order:\n{read}");
            if (task.Status == "completed")
            {
                var text = string.Concat(
                    stream.Events.Skip(stream.Events.FindLastIndex(item => item.Type == "reset") + 1)
                        .Where(item => item.Type == "token")
                        .Select(item => JsonElement.Parse(item.Data).GetProperty("text").GetString()));
                texts.Expect(
                    text == task.Result,
                    () => $"the response of task {stream.Task}, read over {stream.Connections} connections, "
                        + $"gives '{text}', stored is '{task.Result}':\n{read}");
            }
        }
    }

    /// <summary>After a reset numbers may begin lower: what was heard is heard again.</summary>
    private static bool IsInOrder(
        List<(int Id, string Type, string Data)> events) => events.Zip(events.Skip(1)).All(pair =>
        pair.Second.Type == "reset"
            || (pair.First.Type == "reset"
                ? pair.Second.Id >= pair.First.Id
                : pair.Second.Id == pair.First.Id + 1));
}
