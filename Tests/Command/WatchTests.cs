using System.Diagnostics;
using System.Text.Json;
using MarginEngine.Aeron;
using MarginEngine.Codecs;
using MarginEngine.Tool.Demo;
using MarginEngine.Tool.Shell;
using MarginEngine.Tool.Wire;
using MarginEngine.Watch;
using NUnit.Framework;

namespace MarginEngine.Tests.CommandTests;

/// <summary>`margin watch` as a process, hearing a real stream over loopback.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
public sealed class WatchTests
{
    private const int Stream = 1001;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static byte[] Call(ulong account)
    {
        byte[] buffer = new byte[512];
        MarginCallEncoder call = MarginCallEncoder.Wrap(buffer);
        call.Sequence = 1000 + account;
        call.AccountId = account;
        call.State = AccountState.MarginCall;
        call.PreviousState = AccountState.Warning;
        call.SetRatio(91_000_000);
        return buffer[..call.EncodedLength];
    }

    private static byte[] Comparison(ulong account)
    {
        byte[] buffer = new byte[512];
        ModelComparisonEncoder told = ModelComparisonEncoder.Wrap(buffer);
        told.Sequence = 77;
        told.AccountId = account;
        told.ModelId = 1;
        told.ModelVersion = 2;
        told.NextVersion = 3;
        told.SetMaintenanceMargin(1_250_000);
        told.SetNextMaintenanceMargin(2_500_000);
        told.SetNextRatio(50_000_000);
        return buffer[..told.EncodedLength];
    }

    [TestCase(true)]
    [TestCase(false)]
    public void A_comparison_of_two_versions_of_a_model_is_a_line_with_both_figures(bool json)
    {
        string channel = $"aeron:udp?endpoint=127.0.0.1:{FreePorts.Take(1)[0]}";
        string[] arguments = ["watch", "--channel", channel, "--stream", $"{Stream}", .. (string[])(json ? ["--json"] : [])];
        using Process process = MarginCommand.Start(Environment.CurrentDirectory, [], arguments);
        Publish(channel, [Comparison(42)], () => process.HasExited);
        CommandResult result = MarginCommand.Finish(process, arguments);
        Assert.That(result.Code, Is.Zero, result.ToString());
        if (json)
        {
            JsonElement message = JsonDocument.Parse(result.Out.Trim()).RootElement.GetProperty("message");
            Assert.That(message.GetProperty("template").GetString(), Is.EqualTo("ModelComparison"));
            Assert.That(message.GetProperty("maintenanceMargin").ToString(), Does.StartWith("1.25"));
            Assert.That(message.GetProperty("nextMaintenanceMargin").ToString(), Does.StartWith("2.5"));
            Assert.That(message.GetProperty("nextVersion").ToString(), Is.EqualTo("3"));
        }
        else
        {
            Assert.That(result.Out, Does.StartWith("ModelComparison ").And.Contain("accountId=42 ").And.Contain("modelVersion=2 ").And.Contain("nextVersion=3 ")
                .And.Contain("nextMaintenanceMargin=2.5"));
        }
    }

    // Offers everything once a subscriber is there, works until it is sent and acknowledged, closes the stream.
    private static void Publish(string channel, IReadOnlyList<byte[]> messages, Func<bool> isDone)
    {
        using AeronAgent agent = new(new AeronOptions(new TransportClock(new Clock())));
        Publication publication = agent.AddPublication(channel, Stream);
        long begin = Stopwatch.GetTimestamp();
        int next = 0;
        bool closed = false;
        while (!isDone())
        {
            if (Stopwatch.GetElapsedTime(begin) > Patience) Assert.Fail($"{next} of {messages.Count} messages offered in {Patience}");
            while (next < messages.Count && publication.Offer(messages[next]) > 0) next++;
            if (next == messages.Count && publication.IsDrained && !closed)
            {
                closed = true;
                publication.Close();
            }

            if (agent.DoWork() == 0) agent.WaitForInput(1_000);
        }
    }

    [TestCase(true)]
    [TestCase(false)]
    public void Every_message_of_a_stream_becomes_a_line_until_the_sender_closes_it(bool json)
    {
        using ScratchFolder scratch = new();
        string channel = $"aeron:udp?endpoint=127.0.0.1:{FreePorts.Take(1)[0]}";
        byte[][] messages = [.. Enumerable.Range(1, 50).Select(account => Call((ulong)account)), [1, 2, 3, 4, 5, 6, 7, 8, 9]];
        string[] arguments = ["watch", "--channel", channel, "--stream", $"{Stream}", "--record", scratch.File("log"), .. (string[])(json ? ["--json"] : [])];
        using Process process = MarginCommand.Start(Environment.CurrentDirectory, [], arguments);
        Publish(channel, messages, () => process.HasExited);
        CommandResult result = MarginCommand.Finish(process, arguments);
        Assert.That(result.Code, Is.Zero, result.ToString());
        string[] lines = result.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines, Has.Length.EqualTo(messages.Length), result.ToString());
        if (json)
        {
            JsonElement first = JsonDocument.Parse(lines[0]).RootElement.GetProperty("message");
            Assert.That(first.GetProperty("template").GetString(), Is.EqualTo("MarginCall"));
            Assert.That(first.GetProperty("ratio").GetString(), Does.StartWith("0.91"));
            Assert.That(lines[^1], Does.Contain("undecodable").And.Contain("010203040506070809"));
        }
        else
        {
            Assert.That(lines[0], Does.StartWith("MarginCall ").And.Contain("accountId=1 ").And.Contain("state=marginCall"));
        }

        // Nine octets are too few for a sequence: they are shown, not recorded.
        Assert.That(PublishedLogFile.Read(scratch.File("log")), Is.EquivalentTo(messages[..^1].Select(message => PublishedEntry.Of(message))));
        Assert.That(result.Error, Does.Contain("it closed the stream"));
    }

    [TestCase("nonsense", ExitCode.Usage)]
    [TestCase("aeron:udp?endpoint=999.0.0.1:1", ExitCode.Usage)]
    public void A_channel_that_is_none_is_refused(string channel, int code)
    {
        CommandResult result = MarginCommand.Run("watch", "--channel", channel, "--stream", "1");
        Assert.That(result.Code, Is.EqualTo(code), result.ToString());
        Assert.That(result.Error, Does.Contain("--channel"));
    }

    [TestCase("--channel", "aeron:udp?endpoint=127.0.0.1:40001")]
    [TestCase("--stream", "5")]
    [TestCase("--stream", "five")]
    public void Channel_and_stream_are_both_needed(string option, string value) =>
        Assert.That(MarginCommand.Run("watch", option, value).Code, Is.EqualTo(ExitCode.Usage));

    [Test]
    public void A_terminate_signal_ends_it_in_order()
    {
        string channel = $"aeron:udp?endpoint=127.0.0.1:{FreePorts.Take(1)[0]}";
        using Process process = MarginCommand.Start(Environment.CurrentDirectory, [], "watch", "--channel", channel, "--stream", "1");
        Assert.That(process.StandardError.ReadLine(), Does.Contain("listening"));
        Process.Start("kill", ["-TERM", $"{process.Id}"])!.WaitForExit();
        CommandResult result = MarginCommand.Finish(process, "watch");
        Assert.That(result.Code, Is.Zero, result.ToString());
        Assert.That(result.Error, Does.Contain("stopped"));
    }
}
