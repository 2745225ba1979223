// The way of an input through the gateway's checks, the ring, the decider and the output ring allocates nothing.
using System.Buffers.Binary;
using MarginEngine.Logic;
using MarginEngine.Pipeline;
using MarginEngine.Watch;
using NUnit.Framework;

namespace MarginEngine.Tests.PipelineTests;

[NonParallelizable]
public sealed class AllocationTests
{
    private const int WarmUp = 30_000;
    private const int Measured = 1_000_000;

    [Test]
    public void A_million_messages_through_gateway_and_decider_allocate_nothing_and_collect_nothing()
    {
        var line = new Line();
        line.Run(WarmUp);
        long bytes = GC.GetAllocatedBytesForCurrentThread();
        int collections = Collections();
        line.Run(Measured);
        bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;
        collections = Collections() - collections;
        TestContext.Out.WriteLine($"{Measured} messages, {line.Decisions} decisions: {bytes} bytes allocated, {collections} collections");
        Assert.That(line.Decisions, Is.GreaterThan(Measured / 10));
        Assert.That((bytes, collections), Is.EqualTo((0L, 0)));
    }

    private static int Collections() => GC.CollectionCount(0) + GC.CollectionCount(1) + GC.CollectionCount(2);

    /// <summary>Gateway and decider on one thread, fed for ever by a script whose origins are rewritten in place.</summary>
    private sealed class Line
    {
        private readonly byte[][] _script;
        private readonly int _loopFrom;
        private readonly Intake _intake;
        private readonly Decider _decider;
        private readonly SlotReader _decisions;
        private readonly ManualClock _clock = new();
        private readonly NodeGauges _gauges = new();
        private int _next;
        private ulong _sequence;

        public Line()
        {
            _script = [.. Script.Messages(ticks: 4_000)];
            _loopFrom = _script.Length - 3_000; // behind the definitions and the accounts
            var input = Rings.Create(1024);
            var output = Rings.Create(4096);
            var rejects = Rings.Create(64);
            var inputReader = new SlotReader(input);
            _decisions = new SlotReader(output);
            input.AddGatingSequences(inputReader.Released);
            output.AddGatingSequences(_decisions.Released);
            _intake = new Intake(new SlotWriter(input, 8192), new SlotWriter(rejects, 256), 64, long.MaxValue / 4, _clock, _gauges);
            _decider = new Decider(inputReader, new SlotWriter(output, 8192), new MarginMachine(Limits.Small), null, _gauges) { Commands = new CommandWatch() };
        }

        public long Decisions { get; private set; }

        public void Run(int messages)
        {
            for (int i = 0; i < messages; i++)
            {
                byte[] message = _script[_next];
                _next = _next + 1 == _script.Length ? _loopFrom : _next + 1;
                BinaryPrimitives.WriteUInt64LittleEndian(message.AsSpan(8), ++_sequence);
                _clock.WallNanos += 10_000;
                if (!_intake.TryTake(message))
                    throw new InvalidOperationException("the ring is full");
                if (i % 16 == 15)
                    Drain();
            }

            Drain();
        }

        private void Drain()
        {
            _decider.Poll();
            while (_decisions.TryPeek(out _))
            {
                _decisions.Advance();
                Decisions++;
            }

            _decisions.Release();
        }
    }
}
