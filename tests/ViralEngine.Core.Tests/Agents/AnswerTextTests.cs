using System.Text;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Agents;

namespace ViralEngine.Core.Tests.Agents;

public sealed class AnswerTextTests : IDisposable
{
    private const int Budget = 1 << 20;
    private readonly AnswerMemory memory = new(Options.Create(new AgentsOptions
    {
        MaxAnswerMemoryBytes = Budget,
        MaxAnswerFileBytes = 8 * Budget,
    }));

    [Fact]
    public void A_long_answer_stays_in_memory_while_there_is_room()
    {
        using var text = new AnswerText(memory);

        Fill(text, 200_000);

        Assert.False(text.IsInFile);
        Assert.False(memory.IsFull);
    }

    [Fact]
    public void Beyond_the_budget_a_long_answer_goes_to_a_file_and_leaves_room_for_others()
    {
        using var first = new AnswerText(memory);
        var expected = Fill(first, 600_000);

        Assert.True(first.IsInFile);
        Assert.False(memory.IsFull);
        Assert.Equal(expected, first.ToString());
    }

    [Fact]
    public void Beyond_the_budget_a_short_answer_stays_where_it_is()
    {
        var many = Enumerable.Range(0, 20).Select(_ => new AnswerText(memory)).ToList();
        many.ForEach(text => Fill(text, 60_000));

        Assert.True(memory.IsFull);
        Assert.DoesNotContain(many, text => text.IsInFile);
        many.ForEach(text => text.Dispose());
        Assert.False(memory.IsFull);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 600_000)]
    [InlineData(599_000, 1_000)]
    [InlineData(590_000, 9_999)]
    [InlineData(1, 300_000)]
    public void Any_part_can_be_read_across_file_and_memory(int start, int length)
    {
        using var text = new AnswerText(memory);
        var expected = Fill(text, 600_000);

        Assert.Equal(expected.Substring(start, length), text.ToString(start, length));
    }

    [Fact]
    public void Too_much_in_files_makes_new_calls_wait_too()
    {
        using var other = new AnswerText(memory);
        Fill(other, 600_000);
        var many = Enumerable.Range(0, 10).Select(_ => new AnswerText(memory)).ToList();
        many.ForEach(text => Fill(text, 800_000));

        Assert.True(memory.IsFull);
        many.ForEach(text => text.Dispose());
        Assert.False(memory.IsFull);
    }

    [Fact]
    public void What_is_cleared_begins_anew()
    {
        using var text = new AnswerText(memory);
        Fill(text, 600_000);

        text.Clear();
        text.Append("anew");

        Assert.False(text.IsInFile);
        Assert.Equal("anew", text.ToString());
    }

    [Fact]
    public async Task Only_two_long_texts_are_whole_at_a_time()
    {
        var turns = new List<IDisposable?>();
        for (var i = 0; i < 2; i++)
            turns.Add(await memory.HoldWholeAsync(1_000_000, default));

        var next = memory.HoldWholeAsync(1_000_000, default).AsTask();
        Assert.False(next.IsCompleted);
        Assert.Null(await memory.HoldWholeAsync(1_000, default));
        turns[0]!.Dispose();
        using var last = await next;
        turns[1..].ForEach(turn => turn!.Dispose());
    }

    public void Dispose() => memory.Dispose();

    private static string Fill(AnswerText text, int length)
    {
        var filled = new StringBuilder();
        for (var i = 0; filled.Length < length; i++)
        {
            var piece = $"{i} €😀 ";
            piece = piece[..Math.Min(piece.Length, length - filled.Length)];
            text.Append(piece);
            filled.Append(piece);
        }

        return filled.ToString();
    }
}
