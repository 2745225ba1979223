// Everything that can befall single bytes, sectors and blocks of a small journal, tried without a gap: the outcome is exactly the longest durable
// prefix, or a refusal that names file, byte and sequence. Never a wrong record, never an invented one, never another exception.
using System.Collections.Concurrent;
using MarginEngine.Journal;
using MarginEngine.Tool.Simulate;
using NUnit.Framework;

namespace MarginEngine.Tests.JournalTests;

[Parallelizable(ParallelScope.Self)]
public sealed class EveryByteTests
{
    private const int Sector = Format.SectorBytes;
    private const int Block = Format.BlockBytes;
    private const int SegmentBytes = SmallJournal.SegmentBytes;

    [Test]
    public void A_crash_at_every_byte_leaves_exactly_the_longest_durable_prefix([Values] Ending ending)
    {
        var journal = new SmallJournal(ending);
        Run(journal, "everything zero from a byte on", SmallJournal.Bytes, (probe, place) =>
        {
            probe.Zero(place, SmallJournal.Bytes - place);
            int durable = journal.RecordsBefore(place, probe.Bytes);
            string outcome = probe.Read(out long records);
            // A disk writes sectors: a refusal is right only where one was written in part.
            bool isCrash = place % Sector == 0 || probe.IsZero(place - place % Sector, place % Sector) || !probe.HasChanged(place - place % Sector, Sector);
            if (records != durable || (isCrash && outcome == "refused"))
                probe.Fail($"zero from byte {place} on: {outcome} with {records} records, {durable} were durable");
            return outcome;
        });
        Run(journal, "a file cut at a byte", 2 * SegmentBytes, (probe, place) =>
        {
            string path = SmallJournal.Paths[place / SegmentBytes];
            byte[] bytes = probe.Disk[path];
            probe.Disk[path] = bytes[..(place % SegmentBytes)];
            string outcome = probe.Read(out _);
            probe.Disk[path] = bytes;
            if (outcome != "refused")
                probe.Fail($"file cut at byte {place}: {outcome}");
            return outcome;
        });
    }

    [Test]
    public void Every_bit_flipped_is_refused_or_stands_behind_the_history([Values] Ending ending)
    {
        Dictionary<string, int> outcomes = Run(new SmallJournal(ending), "a bit", 8 * SmallJournal.Bytes, (probe, bit) =>
        {
            probe.Bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            return probe.Judge(mayCut: false, () => $"bit {bit % 8} of byte {bit / 8}");
        });
        Assert.That(outcomes["refused"], Is.GreaterThan(8 * 5 * Block), "the bits of the used blocks");
    }

    [Test]
    public void Every_sector_and_block_zeroed_doubled_or_swapped_costs_at_most_a_commit_that_was_never_sealed([Values] Ending ending, [Values(Sector, Block)] int bytes)
    {
        var journal = new SmallJournal(ending);
        int count = SmallJournal.Bytes / bytes;
        Dictionary<string, int> zeroed = Run(journal, $"{bytes} bytes zeroed", count, (probe, index) =>
        {
            probe.Zero(index * bytes, bytes);
            return probe.Judge(mayCut: true, () => $"piece {index} zeroed");
        }, continues: true);
        Run(journal, $"{bytes} bytes over others", count * count, (probe, index) =>
        {
            (int from, int to) = (index / count, index % count);
            probe.Bytes.AsSpan(from * bytes, bytes).CopyTo(probe.Bytes.AsSpan(to * bytes));
            return probe.Judge(mayCut: true, () => $"piece {from} over piece {to}");
        });
        Run(journal, $"{bytes} bytes swapped", count * count, (probe, index) =>
        {
            (int from, int to) = (index / count, index % count);
            byte[] moved = probe.Bytes.AsSpan(from * bytes, bytes).ToArray();
            probe.Bytes.AsSpan(to * bytes, bytes).CopyTo(probe.Bytes.AsSpan(from * bytes));
            moved.CopyTo(probe.Bytes, to * bytes);
            return probe.Judge(mayCut: true, () => $"pieces {from} and {to} swapped");
        });
        Assert.That(zeroed.GetValueOrDefault("cut"), ending == Ending.Crashed ? Is.GreaterThan(0) : Is.Zero);
        Assert.That(zeroed["refused"], Is.GreaterThan(2));
    }

    /// <summary>Tries a numbered experiment on a fresh copy each time, on all cores; prints how often what came out.</summary>
    /// <param name="journal">The journal.</param>
    /// <param name="what">For the printed line.</param>
    /// <param name="count">Experiments.</param>
    /// <param name="experiment">Changes the bytes and says what came out.</param>
    /// <param name="continues">What is not refused is recovered on a disk that can be written, continued and read again.</param>
    private static Dictionary<string, int> Run(SmallJournal journal, string what, int count, Func<Probe, int, string> experiment, bool continues = false)
    {
        var outcomes = new ConcurrentDictionary<string, int>();
        var failures = new ConcurrentQueue<string>();
        Parallel.ForEach(Partitioner.Create(0, count), range =>
        {
            var probe = new Probe(journal, failures);
            for (int index = range.Item1; index < range.Item2 && failures.IsEmpty; index++)
            {
                string outcome = experiment(probe, index);
                if (continues && outcome is not "refused" and not "wrong")
                    probe.Continue($"{what}, {index}");
                outcomes.AddOrUpdate(outcome, 1, (_, before) => before + 1);
                probe.Undo();
            }
        });
        TestContext.Out.WriteLine($"{journal.Ending}, {what}: {string.Join(", ", outcomes.OrderBy(pair => pair.Key).Select(pair => $"{pair.Value:N0} {pair.Key}"))}");
        Assert.That(failures, Is.Empty);
        return new Dictionary<string, int>(outcomes);
    }

    /// <summary>One copy of the journal to be damaged, read, judged and mended.</summary>
    private sealed class Probe
    {
        private readonly SmallJournal _journal;
        private readonly ConcurrentQueue<string> _failures;
        private readonly byte[][] _files = [.. SmallJournal.Paths.Select(_ => new byte[SegmentBytes])];
        private JournalDamagedException? _refusal;
        private long _records;

        public Probe(SmallJournal journal, ConcurrentQueue<string> failures)
        {
            _journal = journal;
            _failures = failures;
            Bytes = [.. journal.Whole];
            Disk = new ReadOnlyDisk(SmallJournal.Paths.Zip(_files));
            ToFiles();
        }

        /// <summary>All files, one behind the other; copied to them before reading.</summary>
        public byte[] Bytes { get; }

        public ReadOnlyDisk Disk { get; }

        public void Fail(string what) => _failures.Enqueue($"{_journal.Ending}: {what}; {_refusal?.Message}");

        public void Zero(int start, int count) => Bytes.AsSpan(start, count).Clear();

        public bool IsZero(int start, int count) => Bytes.AsSpan(start, count).IndexOfAnyExcept((byte)0) < 0;

        public bool HasChanged(int start, int count) => !Bytes.AsSpan(start, count).SequenceEqual(_journal.Whole.AsSpan(start, count));

        public void Undo() => _journal.Whole.CopyTo(Bytes, 0);

        /// <summary>Reads the journal to its proven end: "read" or "refused". Every record handed out is the one that was written.</summary>
        public string Read(out long records)
        {
            ToFiles();
            _records = 0;
            _refusal = null;
            try
            {
                using JournalReader reader = JournalReader.Open(Disk, SmallJournal.Folder, TestJournals.Identity);
                while (reader.TryRead(out JournalRecord record))
                {
                    _records++;
                    if (_records > _journal.Count || record.Sequence != _records || record.TimestampNanos != _records || !record.Message.SequenceEqual(_journal.Message(_records)))
                        Fail($"record {_records} is not the one that was written");
                }

                return "read";
            }
            catch (JournalDamagedException refusal)
            {
                _refusal = refusal;
                return "refused";
            }
            catch (Exception other)
            {
                Fail(other.ToString());
                return other.GetType().Name;
            }
            finally
            {
                records = _records;
            }
        }

        /// <summary>Reads, and holds the outcome against what was changed.</summary>
        public string Judge(bool mayCut, Func<string> what)
        {
            int changed = Bytes.AsSpan().CommonPrefixLength(_journal.Whole);
            string outcome = Read(out long records);
            Piece last = _journal.LastGroup;
            if (changed == Bytes.Length)
                return outcome == "read" && records == _journal.Count ? "unchanged" : Wrong(what, outcome);
            Piece first = _journal.PieceAt(changed);
            if (outcome == "refused")
                return IsNamed() && records == first.Next - 1 ? outcome : Wrong(what, outcome);
            if (records == _journal.Count)
                return changed >= last.End ? "whole" : Wrong(what, "whole");
            bool losesSector = Enumerable.Range(last.Start / Sector, (last.End - last.Start) / Sector)
                .Any(sector => HasChanged(sector * Sector, Sector) && IsZero(sector * Sector, Sector));
            bool isCut = mayCut && _journal.Ending == Ending.Crashed && first == last && losesSector && records == _journal.Count - last.Records;
            return isCut ? "cut" : Wrong(what, "shortened");
        }

        /// <summary>Recovers, appends and reads again: the history goes on from where it was found to end.</summary>
        public void Continue(string what)
        {
            FaultyStorage disk = _journal.Disk.Copy();
            for (int segment = 0; segment < _files.Length; segment++)
            {
                byte[] bytes = [.. _files[segment]];
                disk.Damage(SmallJournal.Paths[segment], _ => bytes);
            }

            using (JournalWriter writer = JournalWriter.Open(SmallJournal.Options, TestJournals.Identity, disk))
            {
                if (writer.LastSequence != _records)
                    Fail($"{what}: recovered to {writer.LastSequence}, read to {_records}");
                _ = writer.TryAppend(1, 1, writer.LastSequence + 1, 0, "behind it"u8);
                writer.Commit();
            }

            using JournalReader reader = JournalReader.Open(disk, SmallJournal.Folder, TestJournals.Identity);
            long read = 0;
            for (; reader.TryRead(out JournalRecord record); read++)
            {
                bool isRight = read < _records ? record.Message.SequenceEqual(_journal.Message(read + 1)) : record.Message.SequenceEqual("behind it"u8);
                if (!isRight)
                    Fail($"{what}: record {record.Sequence} is wrong after recovery");
            }

            if (read != _records + 1)
                Fail($"{what}: {read} records after recovery and one more, {_records} before");
        }

        private void ToFiles()
        {
            for (int segment = 0; segment < _files.Length; segment++)
                Bytes.AsSpan(segment * SegmentBytes, SegmentBytes).CopyTo(_files[segment]);
        }

        /// <summary>
        /// The refusal names the sequence behind the last record read (0 where none is known yet) and the start of a piece that is not whole: one
        /// that was changed, or the torn commit where the bytes behind it are what is wrong.
        /// </summary>
        private bool IsNamed()
        {
            Piece named = _journal.PieceAt((int)(_refusal!.Segment * SegmentBytes + _refusal.Offset));
            bool isBroken = !_journal.IsAsWritten(named, Bytes) || (_journal.Ending == Ending.Torn && named.End == 2 * SegmentBytes);
            return isBroken && named.Start == _refusal.Segment * SegmentBytes + _refusal.Offset
                && _refusal.Sequence == (named.Start == 0 ? 0 : _records + 1) && _refusal.Path == SmallJournal.Paths[_refusal.Segment];
        }

        private string Wrong(Func<string> what, string outcome)
        {
            Fail($"{what()}: {outcome} with {_records} of {_journal.Count} records");
            return "wrong";
        }
    }
}
