// A real etcd on loopback as the witness. Skipped, with the reason, where etcd is not installed (Debian: etcd-server).
using System.Diagnostics;
using MarginEngine.Pipeline;
using MarginEngine.Promotion;
using MarginEngine.Tests.PipelineTests;
using MarginEngine.Tool.Demo;
using MarginEngine.Watch;
using NUnit.Framework;

namespace MarginEngine.Tests.PromotionTests;

[Parallelizable(ParallelScope.Self)]
public sealed class EtcdTests
{
    [Test]
    public void It_grants_to_one_node_renews_and_grants_the_next_epoch_when_it_was_given_back()
    {
        using var etcd = Etcd.Start();
        using ILease left = Open(etcd, "left"), right = Open(etcd, "right");
        var clock = new Clock();
        WaitFor(clock, [left, right], () => left.Poll(clock.MonotonicNanos).State == LeaseState.Free && right.Poll(clock.MonotonicNanos).State == LeaseState.Free);
        left.Acquire(0);
        right.Acquire(0);
        WaitFor(clock, [left, right], () => States(clock, left, right) is [LeaseState.Mine, LeaseState.Others] or [LeaseState.Others, LeaseState.Mine]);
        (ILease holder, ILease other) = left.Poll(clock.MonotonicNanos).State == LeaseState.Mine ? (left, right) : (right, left);
        LeaseView first = holder.Poll(clock.MonotonicNanos);
        Assert.That(first.Epoch, Is.EqualTo(1));
        Assert.That(first.ValidUntilNanos - clock.MonotonicNanos, Is.LessThanOrEqualTo(holder.TtlNanos));
        WaitFor(clock, [left, right], () => holder.Poll(clock.MonotonicNanos).ValidUntilNanos > first.ValidUntilNanos + holder.TtlNanos);
        Assert.That(other.Poll(clock.MonotonicNanos).State, Is.EqualTo(LeaseState.Others));
        holder.Release();
        WaitFor(clock, [left, right], () => other.Poll(clock.MonotonicNanos) is { State: LeaseState.Free, Epoch: 1 });
        other.Acquire(0);
        for (int i = 0; i < 3; i++)
            Assert.That(other.Poll(clock.MonotonicNanos).State, Is.Not.EqualTo(LeaseState.Mine), "it was decided on an older grant");
        WaitFor(clock, [left, right], () => other.Poll(clock.MonotonicNanos).State == LeaseState.Free);
        other.Acquire(1);
        WaitFor(clock, [left, right], () => other.Poll(clock.MonotonicNanos) is { State: LeaseState.Mine, Epoch: 2 });
    }

    [Test]
    public void Not_renewed_it_goes_to_the_other_after_its_time()
    {
        using var etcd = Etcd.Start();
        using ILease left = Open(etcd, "left"), right = Open(etcd, "right");
        var clock = new Clock();
        WaitFor(clock, [left], () => left.Poll(clock.MonotonicNanos).State == LeaseState.Free);
        left.Acquire(0);
        WaitFor(clock, [left], () => left.Poll(clock.MonotonicNanos).State == LeaseState.Mine);
        long until = left.Poll(clock.MonotonicNanos).ValidUntilNanos;
        WaitFor(clock, [right], () => right.Poll(clock.MonotonicNanos) is { State: LeaseState.Free, Holder: "left" });
        Assert.That(clock.MonotonicNanos, Is.GreaterThan(until), "the holder had given up before");
        Assert.That(left.Poll(clock.MonotonicNanos).State, Is.Not.EqualTo(LeaseState.Mine));
    }

    [Test]
    public void An_etcd_that_is_gone_is_unreachable_and_a_held_lease_runs_out()
    {
        using var etcd = Etcd.Start();
        using ILease left = Open(etcd, "left");
        var clock = new Clock();
        WaitFor(clock, [left], () => left.Poll(clock.MonotonicNanos).State == LeaseState.Free);
        left.Acquire(0);
        WaitFor(clock, [left], () => left.Poll(clock.MonotonicNanos).State == LeaseState.Mine);
        etcd.Dispose();
        WaitFor(clock, [left], () => left.Poll(clock.MonotonicNanos) is { State: LeaseState.Unreachable, Problem.Length: > 0 });
    }

    [Test]
    public void With_etcd_as_the_witness_a_killed_primary_is_replaced()
    {
        using var etcd = Etcd.Start();
        using var pair = new Pair(Gate.Both, leaseMillis: 3_000, witness: $"etcd:{etcd.Endpoint}/pair-of-this-test");
        List<byte[]> script = Script.Messages(ticks: 800, seed: 7);
        using var client = new PairClient(script, pair.Options);
        MemberProcess[] nodes = pair.Start();
        MemberProcess first = pair.Primary(client), second = nodes.Single(node => node != first);
        int side = Array.IndexOf(nodes, first);
        client.WorkUntil(() => pair.IsReady(second) && client.Confirmed >= 300, () => pair.Messages);
        first.Kill();
        long begin = Stopwatch.GetTimestamp();
        client.WorkUntil(() => client.Heard(1 - side) > 0, () => $"nobody took over; {pair.Messages}");
        TestContext.Out.WriteLine($"lease of 3 s at etcd: {Stopwatch.GetElapsedTime(begin).TotalMilliseconds:F0} ms without decisions");
        nodes[side] = pair.Restart(side);
        client.WorkUntil(() => client.IsDone && pair.IsReady(nodes[side]), () => $"confirmed {client.Confirmed}; {pair.Messages}");
        pair.StopAll(client, second);
        pair.AssertOneHistory(client, script);
    }

    private static ILease Open(Etcd etcd, string node) =>
        new LeaseOptions { Witness = $"etcd:{etcd.Endpoint}", Node = node, TtlMillis = 3_000 }.Open();

    private static LeaseState[] States(Clock clock, params ILease[] leases) => [.. leases.Select(lease => lease.Poll(clock.MonotonicNanos).State)];

    private static void WaitFor(Clock clock, ILease[] leases, Func<bool> condition) => Until.True(
        condition,
        () =>
        {
            foreach (ILease lease in leases)
                lease.Poll(clock.MonotonicNanos);
            Thread.Sleep(1);
        },
        () => string.Join("; ", leases.Select(lease => lease.Poll(clock.MonotonicNanos))));

    /// <summary>A single etcd with its data in a folder of its own; gone with the test.</summary>
    private sealed class Etcd : IDisposable
    {
        private readonly TestDirectory _directory = new();
        private readonly Process _process;
        private bool _isOver;

        private Etcd(string program)
        {
            int[] ports = FreePorts.Take(2); // of UDP, from below the range that the system gives out: as good for TCP
            Endpoint = $"http://127.0.0.1:{ports[0]}";
            string peers = $"http://127.0.0.1:{ports[1]}";
            var start = new ProcessStartInfo(program)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            foreach (string argument in (string[])[
                "--data-dir", _directory.Journal("etcd"), "--listen-client-urls", Endpoint, "--advertise-client-urls", Endpoint,
                "--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", $"default={peers}"])
                start.ArgumentList.Add(argument);
            _process = Process.Start(start)!;
            _process.OutputDataReceived += (_, _) => { };
            _process.ErrorDataReceived += (_, _) => { };
            _process.BeginOutputReadLine();
            _process.BeginErrorReadLine();
        }

        public string Endpoint { get; }

        public static Etcd Start()
        {
            string? program = Environment.GetEnvironmentVariable("PATH")!.Split(':').Append("/usr/bin").Select(folder => Path.Combine(folder, "etcd")).FirstOrDefault(File.Exists);
            if (program is null)
                Assert.Ignore("etcd is not installed: apt-get install etcd-server");
            var etcd = new Etcd(program!);
            try
            {
                using var http = new HttpClient();
                Until.True(() => IsHealthy(http, etcd.Endpoint), () => Thread.Sleep(20), () => "etcd did not start");
            }
            catch
            {
                etcd.Dispose();
                throw;
            }

            return etcd;
        }

        public void Dispose()
        {
            if (_isOver)
                return;
            _isOver = true;
            _process.Kill();
            _process.WaitForExit();
            _process.Dispose();
            _directory.Dispose();
        }

        private static bool IsHealthy(HttpClient http, string endpoint)
        {
            try
            {
                return http.GetStringAsync($"{endpoint}/health").GetAwaiter().GetResult().Contains("true", StringComparison.Ordinal);
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }
    }
}
