// Generated flyweights against hand-written overlays (a packed struct laid over the octets, with the same header checks), in turns in
// one run. What counts is the ratio. Called by the bench program and, with few messages, by the tests.

using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MarginEngine.Codecs;

namespace MarginEngine.Bench;

/// <summary>Encode and decode of a flat message and of a message with a group, both ways.</summary>
public static class CodecBench
{
    private const int Messages = 512;
    private const int Legs = 20;
    private const int Stride = 1024;

    /// <summary>Nanoseconds a message (the least and the middle of the rounds), and what each way read and left behind.</summary>
    public sealed record Line(string Work, double OverlayLeast, double OverlayMedian, double CodecLeast, double CodecMedian, long OverlayResult, long CodecResult)
    {
        /// <summary>Cost of the codec over that of the overlay, least against least.</summary>
        public double Ratio => CodecLeast / OverlayLeast;
    }

    public static int Command(string[] options, TextWriter output, TextWriter errors)
    {
        if (options.Length > 0)
        {
            errors.WriteLine("codec takes no options");
            return 1;
        }

        Run(rounds: 200, passes: 200, output);
        return 0;
    }

    public static IReadOnlyList<Line> Run(int rounds, int passes, TextWriter output)
    {
        var octets = new byte[Messages * Stride];
        var lines = new List<Line>
        {
            Measure($"encode flat, {Unsafe.SizeOf<Check>()} octets", octets, rounds, passes, OverlayEncode, CodecEncode),
            Measure($"decode flat, {Unsafe.SizeOf<Check>()} octets", octets, rounds, passes, OverlayDecode, CodecDecode),
            Measure("encode 20 legs", octets, rounds, passes / 8 + 1, OverlayEncodeLegs, CodecEncodeLegs),
            Measure("decode 20 legs", octets, rounds, passes / 8 + 1, OverlayDecodeLegs, CodecDecodeLegs),
        };
        output.WriteLine($"{Environment.ProcessorCount} processors, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}, {rounds} rounds in turns");
        output.WriteLine("work                       overlay ns (least / middle)   codec ns (least / middle)   ratio");
        foreach (Line line in lines)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{line.Work,-26} {line.OverlayLeast,10:F2} / {line.OverlayMedian,-10:F2}      {line.CodecLeast,10:F2} / {line.CodecMedian,-10:F2}   {line.Ratio:F2}"));
        }

        return lines;
    }

    private static Line Measure(string work, byte[] octets, int rounds, int passes, Func<byte[], long> overlay, Func<byte[], long> codec)
    {
        for (int warm = 0; warm < 300; warm++)
        {
            overlay(octets);
            codec(octets);

            // Tier 1 code is installed in the background, and what it inlines in a second step: pauses let it arrive before the samples count.
            if (warm % 100 == 99 && rounds > 10)
                Thread.Sleep(150);
        }

        var overlayTimes = new double[rounds];
        var codecTimes = new double[rounds];
        for (int round = 0; round < rounds; round++)
        {
            overlayTimes[round] = Time(octets, passes, overlay);
            codecTimes[round] = Time(octets, passes, codec);
        }

        Array.Sort(overlayTimes);
        Array.Sort(codecTimes);
        return new Line(work, overlayTimes[0], overlayTimes[rounds / 2], codecTimes[0], codecTimes[rounds / 2], Result(octets, overlay), Result(octets, codec));
    }

    // What was read, and every octet as it stands afterwards.
    private static long Result(byte[] octets, Func<byte[], long> work)
    {
        long result = work(octets);
        foreach (byte octet in octets)
            result = unchecked((result * 31) + octet);
        return result;
    }

    private static double Time(byte[] octets, int passes, Func<byte[], long> work)
    {
        long start = Stopwatch.GetTimestamp();
        for (int pass = 0; pass < passes; pass++)
            work(octets);
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / ((double)passes * Messages);
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private struct Header
    {
        public ushort BlockLength, TemplateId, SchemaId, Version;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private struct Check
    {
        public Header Header;
        public ulong Sequence, EventTime;
        public ushort Source, Flags;
        public ulong AccountId;
        public uint InstrumentId;
        public byte Side;
        public long Quantity, Price;
        public ulong CorrelationId;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private struct Instruction
    {
        public Header Header;
        public ulong Sequence, Time, CauseTime, AccountId, LiquidationId;
        public ushort Attempt, WorstRow, WorstUnderlyingId, Flags;
        public long Equity, MaintenanceMargin, Ratio, ExpectedMaintenanceMargin, ExpectedCost;
        public ushort LegLength, LegCount;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private struct Leg
    {
        public uint InstrumentId;
        public byte Side;
        public long Quantity, MarkPrice;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static unsafe long OverlayEncode(byte[] octets)
    {
        unchecked
        {
            for (int i = 0; i < Messages; i++)
            {
                Span<byte> buffer = octets.AsSpan(i * Stride, Stride);
                if (buffer.Length < sizeof(Check))
                    return -1;
                ref Check check = ref Unsafe.As<byte, Check>(ref MemoryMarshal.GetReference(buffer));
                check.Header.BlockLength = (ushort)(sizeof(Check) - sizeof(Header));
                check.Header.TemplateId = PreTradeCheckDecoder.TemplateId;
                check.Header.SchemaId = PreTradeCheckDecoder.SchemaId;
                check.Header.Version = PreTradeCheckDecoder.SchemaVersion;
                check.Sequence = (ulong)i;
                check.EventTime = 17;
                check.Source = 1;
                check.Flags = 1;
                check.AccountId = (ulong)i + 5;
                check.InstrumentId = (uint)i;
                check.Side = 2;
                check.Quantity = i + 9;
                check.Price = i * 3;
                check.CorrelationId = (ulong)i * 7;
            }

            return octets.Length;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long CodecEncode(byte[] octets)
    {
        unchecked
        {
            for (int i = 0; i < Messages; i++)
            {
                PreTradeCheckEncoder check = PreTradeCheckEncoder.Wrap(octets.AsSpan(i * Stride, Stride));
                check.SetOrigin((ulong)i, 17, 1, OriginFlags.EndOfEvent);
                check.AccountId = (ulong)i + 5;
                check.InstrumentId = (uint)i;
                check.Side = Side.Sell;
                check.Quantity = i + 9;
                check.SetPrice(i * 3);
                check.CorrelationId = (ulong)i * 7;
            }

            return octets.Length;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static unsafe long OverlayDecode(byte[] octets)
    {
        unchecked
        {
            long sum = 0;
            for (int i = 0; i < Messages; i++)
            {
                ReadOnlySpan<byte> buffer = octets.AsSpan(i * Stride, Stride);
                if (buffer.Length < sizeof(Check))
                    return -1;
                ref readonly Check check = ref Unsafe.As<byte, Check>(ref MemoryMarshal.GetReference(buffer));
                if (check.Header.TemplateId != PreTradeCheckDecoder.TemplateId || check.Header.SchemaId != PreTradeCheckDecoder.SchemaId
                    || check.Header.BlockLength < sizeof(Check) - sizeof(Header))
                    return -1;
                sum += (long)check.Sequence + (long)check.EventTime + check.Source + check.Flags + (long)check.AccountId + check.InstrumentId
                    + check.Side + check.Quantity + check.Price + (long)check.CorrelationId;
            }

            return sum;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long CodecDecode(byte[] octets)
    {
        unchecked
        {
            long sum = 0;
            for (int i = 0; i < Messages; i++)
            {
                if (!PreTradeCheckDecoder.TryWrap(octets.AsSpan(i * Stride, Stride), out PreTradeCheckDecoder check))
                    return -1;
                sum += (long)check.Origin.Sequence + (long)check.Origin.EventTime + check.Origin.Source + (int)check.Origin.Flags + (long)check.AccountId
                    + check.InstrumentId + (int)check.Side + check.Quantity + check.Price.Mantissa + (long)check.CorrelationId;
            }

            return sum;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static unsafe long OverlayEncodeLegs(byte[] octets)
    {
        unchecked
        {
            for (int i = 0; i < Messages; i++)
            {
                Span<byte> buffer = octets.AsSpan(i * Stride, Stride);
                if (buffer.Length < sizeof(Instruction) + (Legs * sizeof(Leg)))
                    return -1;
                ref Instruction instruction = ref Unsafe.As<byte, Instruction>(ref MemoryMarshal.GetReference(buffer));
                instruction = default;
                instruction.Header.BlockLength = (ushort)(sizeof(Instruction) - sizeof(Header) - 4);
                instruction.Header.TemplateId = LiquidationInstructionDecoder.TemplateId;
                instruction.Header.SchemaId = LiquidationInstructionDecoder.SchemaId;
                instruction.Header.Version = LiquidationInstructionDecoder.SchemaVersion;
                instruction.Sequence = (ulong)i;
                instruction.WorstRow = 3;
                instruction.LegLength = (ushort)sizeof(Leg);
                instruction.LegCount = Legs;
                ref Leg legs = ref Unsafe.As<byte, Leg>(ref Unsafe.Add(ref MemoryMarshal.GetReference(buffer), sizeof(Instruction)));
                for (int n = 0; n < Legs; n++)
                {
                    ref Leg leg = ref Unsafe.Add(ref legs, n);
                    leg.InstrumentId = (uint)n;
                    leg.Side = 1;
                    leg.Quantity = i;
                    leg.MarkPrice = n + i;
                }
            }

            return octets.Length;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long CodecEncodeLegs(byte[] octets)
    {
        unchecked
        {
            for (int i = 0; i < Messages; i++)
            {
                LiquidationInstructionEncoder instruction = LiquidationInstructionEncoder.Wrap(octets.AsSpan(i * Stride, Stride));
                instruction.Sequence = (ulong)i;
                instruction.WorstRow = 3;
                LiquidationInstructionEncoder.LegsEncoder legs = instruction.LegsCount(Legs);
                for (int n = 0; n < Legs; n++)
                {
                    LiquidationInstructionEncoder.LegsEncoder.Entry leg = legs[n];
                    leg.InstrumentId = (uint)n;
                    leg.Side = Side.Buy;
                    leg.Quantity = i;
                    leg.SetMarkPrice(n + i);
                }
            }

            return octets.Length;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static unsafe long OverlayDecodeLegs(byte[] octets)
    {
        unchecked
        {
            long sum = 0;
            for (int i = 0; i < Messages; i++)
            {
                ReadOnlySpan<byte> buffer = octets.AsSpan(i * Stride, Stride);
                ref readonly Instruction instruction = ref Unsafe.As<byte, Instruction>(ref MemoryMarshal.GetReference(buffer));
                if (buffer.Length < sizeof(Instruction) || instruction.Header.TemplateId != LiquidationInstructionDecoder.TemplateId
                    || instruction.Header.SchemaId != LiquidationInstructionDecoder.SchemaId
                    || sizeof(Instruction) + ((long)instruction.LegCount * instruction.LegLength) > buffer.Length)
                    return -1;
                ref Leg leg = ref Unsafe.As<byte, Leg>(ref Unsafe.Add(ref MemoryMarshal.GetReference(buffer), sizeof(Instruction)));
                for (int n = instruction.LegCount; n > 0; n--)
                {
                    sum += leg.InstrumentId + leg.Side + leg.Quantity + leg.MarkPrice;
                    leg = ref Unsafe.AddByteOffset(ref leg, instruction.LegLength);
                }

                sum += (long)instruction.Sequence;
            }

            return sum;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long CodecDecodeLegs(byte[] octets)
    {
        unchecked
        {
            long sum = 0;
            for (int i = 0; i < Messages; i++)
            {
                if (!LiquidationInstructionDecoder.TryWrap(octets.AsSpan(i * Stride, Stride), out LiquidationInstructionDecoder instruction))
                    return -1;
                foreach (LiquidationInstructionDecoder.LegsDecoder.Entry leg in instruction.Legs)
                    sum += leg.InstrumentId + (int)leg.Side + leg.Quantity + leg.MarkPrice.Mantissa;
                sum += (long)instruction.Sequence;
            }

            return sum;
        }
    }
}
