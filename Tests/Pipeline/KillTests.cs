// kill -9 of a real primary process under load, again and again: what was published is in the journal, what the journal decides
// was published, every input is there once. MARGIN_KILL_ROUNDS sets the number of rounds.
using System.Diagnostics;
using MarginEngine.Codecs;
using MarginEngine.Pipeline;
using NUnit.Framework;

namespace MarginEngine.Tests.PipelineTests;

[Parallelizable(ParallelScope.Self)]
public sealed class KillTests
{
    private const int MessagesARound = 3_000;
    private static readonly int Rounds =
        int.TryParse(Environment.GetEnvironmentVariable("MARGIN_KILL_ROUNDS"), out int rounds) && rounds > 0 ? rounds : 5;

    [Test]
    public void A_primary_killed_at_random_moments_loses_nothing_it_published_and_invents_nothing()
    {
        const int Seed = 20_260_204;
        var random = new Random(Seed);
        List<byte[]> script = Script.Messages(ticks: Rounds * MessagesARound, seed: Seed);
        using var directory = new TestDirectory();
        // Short rings and a short stream, so that no stage is far ahead of the others and every kill hits messages on their way.
        NodeOptions options = TestNode.Primary(directory.Journal("primary")) with
        {
            SubscriberGraceMillis = 60_000,
            RepublishMillis = 600_000,
            InputRingSlots = 256,
        };
        string configuration = directory.Journal("node.json");
        File.WriteAllText(configuration, options.ToJson());
        using World world = new(
            options.Input!.Channel + "|term-length=65536", options.Input.Stream, options.Output!.Channel, options.Output.MarginStream,
            options.Output.ReplyStream);
        var source = new Source(world, script);

        for (int round = 1; round <= Rounds; round++)
        {
            using var primary = new Child(configuration);
            source.Reconnect();
            world.WorkUntil(() => world.IsConnected, () => $"round {round}: no connection; {primary.Errors}");
            long killAt = source.Newest + random.Next(1, MessagesARound);
            world.WorkUntil(
                () =>
                {
                    source.SendSome(random.Next(1, 100));
                    return source.Newest >= killAt || source.Next == script.Count;
                },
                () => $"round {round}: heard up to {source.Newest}; {primary.Errors}");
            // The last burst is still on its way, in the socket, in the rings or at the disk.
            source.SendSome(random.Next(1, 800));
            Thread.SpinWait(random.Next(200_000));
            primary.Kill();
            world.WorkUntil(() => !world.IsConnected, () => "the dead node's streams go on");
        }

        using (var last = new Child(configuration))
        {
            source.Reconnect();
            world.WorkUntil(() => world.IsConnected, () => $"last round: no connection; {last.Errors}");
            while (!source.IsDone)
                source.SendSome(32);
            world.WorkUntil(() => source.Confirmed == script.Count, () => $"the last heartbeat tells {source.Confirmed} of {script.Count}");
            Assert.That(last.Stop(), Is.Zero, last.Errors);
            for (int i = 0; i < 1_000; i++)
                world.Work();
        }

        Reference reference = Reference.Of(options);
        TestContext.Out.WriteLine(
            $"{Rounds} kills, seed {Seed}: {reference.Inputs.Count} inputs, {reference.Decisions.Count} decisions,"
            + $" {world.Margins.Heard.Count + world.Replies.Heard.Count} messages heard, {source.GapsAnswered} gaps after a kill resent");
        Assert.That(reference.InputsOf(Script.Source), Is.EqualTo(script), "every input once, in order");

        HashSet<string> decided = [.. reference.Decisions.Select(Reference.Key)];
        IEnumerable<byte[]> heard = world.Margins.Heard.Concat(world.Replies.Heard.Where(message => !Source.IsGatewayReject(message)));
        Assert.That(heard.Where(message => !decided.Contains(Reference.Key(message))).Select(Convert.ToHexString), Is.Empty, "published, but not in the journal");

        HashSet<string> published = [.. world.Margins.Heard.Concat(world.Replies.Heard).Select(Reference.Key)];
        IEnumerable<byte[]> owed = reference.Decisions.Where(message => Reference.Template(message) != MarginUpdateDecoder.TemplateId);
        Assert.That(owed.Where(message => !published.Contains(Reference.Key(message))).Select(Convert.ToHexString), Is.Empty, "decided, but never published");
        Assert.That(
            reference.NewestUpdates().Where(update => !published.Contains(Reference.Key(update.Value))).Select(update => update.Key), Is.Empty,
            "accounts whose newest margin was never published");
    }

    /// <summary>A source as the protocol asks for it: keeps what it sent and goes back to where a gap reject says.</summary>
    private sealed class Source(World world, List<byte[]> script)
    {
        private int _repliesSeen;
        private int _marginsSeen;
        private ulong _lastGap;

        /// <summary>Messages sent so far; goes back after a gap.</summary>
        public int Next { get; private set; }

        public int GapsAnswered { get; private set; }

        /// <summary>Messages that the newest heartbeat says are taken.</summary>
        public int Confirmed { get; private set; }

        /// <summary>Highest input sequence that a margin told of; older ones come again after a restart.</summary>
        public long Newest { get; private set; }

        public bool IsDone => Next == script.Count && Confirmed == script.Count;

        /// <summary>The gap of an earlier connection can come again.</summary>
        public void Reconnect() => _lastGap = 0;

        public void SendSome(int messages)
        {
            for (int i = 0; i < messages && Next < script.Count && world.TrySend(script[Next]); i++)
                Next++;
            for (int before = -1; before != world.Heard;)
            {
                before = world.Heard;
                world.Work();
            }

            for (; _repliesSeen < world.Replies.Heard.Count; _repliesSeen++)
                Hear(world.Replies.Heard[_repliesSeen]);
            for (; _marginsSeen < world.Margins.Heard.Count; _marginsSeen++)
                Newest = Math.Max(Newest, BitConverter.ToInt64(world.Margins.Heard[_marginsSeen], 8));
        }

        /// <summary>The machine never rejects anything of this script: a reject is the gateway's.</summary>
        public static bool IsGatewayReject(byte[] message) => Reference.Template(message) == RejectDecoder.TemplateId;

        private void Hear(byte[] message)
        {
            if (RejectDecoder.TryWrap(message, out RejectDecoder reject))
            {
                if (reject.Code != RejectCode.SequenceGap || reject.Expected == _lastGap)
                    return;
                _lastGap = reject.Expected;
                Next = (int)reject.Expected - 1;
                GapsAnswered++;
            }
            else if (HeartbeatDecoder.TryWrap(message, out HeartbeatDecoder heartbeat))
            {
                foreach (HeartbeatDecoder.SourcesDecoder.Entry entry in heartbeat.Sources)
                {
                    if (entry.Source == Script.Source)
                        Confirmed = Math.Max(Confirmed, (int)entry.LastSequence);
                }
            }
        }
    }

    /// <summary>A primary in a process of its own. It ends with its standard input, so it cannot outlive this one.</summary>
    private sealed class Child : IDisposable
    {
        private readonly Process _process;
        private readonly List<string> _errors = [];

        public Child(string configuration)
        {
            var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
            start.ArgumentList.Add(typeof(Bench.PathBench).Assembly.Location);
            start.ArgumentList.Add("path-node");
            start.ArgumentList.Add(configuration);
            _process = Process.Start(start)!;
            _process.OutputDataReceived += (_, _) => { };
            _process.ErrorDataReceived += (_, line) =>
            {
                lock (_errors)
                    _errors.Add(line.Data ?? "");
            };
            _process.BeginOutputReadLine();
            _process.BeginErrorReadLine();
        }

        public string Errors
        {
            get
            {
                lock (_errors)
                    return string.Join('\n', _errors);
            }
        }

        public void Kill()
        {
            _process.Kill();
            _process.WaitForExit();
        }

        public int Stop()
        {
            _process.StandardInput.Close();
            return ChildEnd.Await(_process) ? _process.ExitCode : -1;
        }

        public void Dispose()
        {
            if (!_process.HasExited)
                Kill();
            _process.Dispose();
        }
    }
}
