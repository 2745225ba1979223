using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>
/// Money only moves. In a book whose every trade has both its sides here, balances add up to what was paid in: after each funding and
/// transfer at once, after everything is closed or settled over the whole run. Random venues; the seed is in every message.
/// </summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class ConservationTests
{
    private const int Accounts = 12;
    private const int Events = 400;
    private static readonly ulong[] Expiries = [Desk.At("2026-02-20T08:00:00Z"), Desk.Expiry];

    [TestCase(1)]
    [TestCase(20260205)]
    [TestCase(77)]
    public void Fundings_settlements_transfers_and_fills_make_no_money_and_lose_none(int seed)
    {
        using Venue venue = new(seed);
        for (int step = 0; step < Events; step++)
        {
            (long usd, long btc) = venue.Held();
            string what = venue.Step();
            (long usdAfter, long btcAfter) = venue.Held();
            if (what is "funding" or "transfer")
            {
                Assert.That((usdAfter, btcAfter), Is.EqualTo((usd, btc)), $"{what} in step {step} of seed {seed}");
            }
        }

        int settledInCoin = venue.SettleAll();
        venue.CloseAll();
        (long usdAtEnd, long btcAtEnd) = venue.Held();
        Assert.Multiple(() =>
        {
            Assert.That(venue.Desk.Of(RejectDecoder.TemplateId).Select(Described), Is.Empty, $"seed {seed}");
            Assert.That(venue.Desk.Machine.PositionCount, Is.Zero, $"seed {seed}");
            Assert.That(usdAtEnd, Is.EqualTo(venue.PaidInUsd), $"USD, seed {seed}");

            // What an inverse option pays is rounded once a holder, half to even.
            Assert.That(Math.Abs(btcAtEnd - venue.PaidInBtc), Is.LessThanOrEqualTo(settledInCoin), $"BTC, seed {seed}");
            Assert.That(settledInCoin, Is.GreaterThan(0), "the run had inverse options to settle");
        });
    }

    [Test]
    public void The_whole_run_replays_to_the_same_bytes_and_the_same_state()
    {
        using Venue venue = new(seed: 5);
        for (int step = 0; step < Events; step++)
        {
            venue.Step();
        }

        venue.SettleAll();
        using Desk replay = new(withMarket: false);
        foreach ((long time, byte[] message) in venue.Desk.Applied)
        {
            replay.Now = time;
            replay.Apply(message);
        }

        Assert.That(
            (replay.Machine.DecisionCount, replay.Machine.DecisionDigest, replay.Machine.StateDigest()),
            Is.EqualTo((venue.Desk.Machine.DecisionCount, venue.Desk.Machine.DecisionDigest, venue.Desk.Machine.StateDigest())));
    }

    private static string Described(byte[] message)
    {
        RejectDecoder.TryWrap(message, out RejectDecoder reject);
        return $"{Schema.NameOf(reject.RefusedTemplateId)}: {reject.Code} in field {reject.FieldId}, sequence {reject.Sequence}";
    }

    // Six owners of two accounts each, in two classes; rich enough that nobody is liquidated.
    private sealed class Venue : IDisposable
    {
        private readonly Random _random;
        private readonly uint _linear;
        private readonly uint _inverse;
        private readonly List<uint> _expiring = [];
        private readonly List<uint> _perpetuals;

        public Venue(int seed)
        {
            _random = new Random(seed);
            _linear = Desk.Perpetual(Desk.Usd, 0.001m);
            _inverse = Desk.Perpetual();
            _perpetuals = [_linear, _inverse];
            foreach (ulong expiry in Expiries)
            {
                _expiring.Add(Desk.Option(OptionRight.Call, 60_000m, Desk.Usd, 0.001m, expiry));
                _expiring.Add(Desk.Option(OptionRight.Put, 66_000m, Desk.Btc, 0.1m, expiry));
                _expiring.Add(Desk.Option(OptionRight.Call, 62_000m, Desk.Btc, 0.1m, expiry));
                _expiring.Add(Desk.Instrument(InstrumentKind.Future, Settlement.Inverse, 1, Desk.Btc, 10, expiry: expiry));
                Desk.Forward(64_000m, expiry);
            }

            Desk.Mark(_linear, 64_000m);
            Desk.Mark(_inverse, 64_000m);
            Desk.Class(1, leverage: 10);
            Desk.Class(2, minimumEquity: 1_000, kinds: InstrumentKinds.Perpetual);
            Desk.Fees(0.0002m, 0.0001m, 0.125m);
            Desk.Open(Limits.FundAccount);
            for (ulong account = 1; account <= Accounts; account++)
            {
                Desk.OpenSub(account, owner: 1 + (account / 2), classId: (ushort)(1 + (account % 2)));
                Deposit(account, Desk.Usd, 50_000_000);
                Deposit(account, Desk.Btc, 5_000);
            }
        }

        public Desk Desk { get; } = new();

        public long PaidInUsd { get; private set; }

        public long PaidInBtc { get; private set; }

        public (long Usd, long Btc) Held() => (Desk.Held("USD"), Desk.Held("BTC"));

        public string Step()
        {
            Desk.Now += 1_000_000;
            uint perpetual = _perpetuals[_random.Next(2)];
            switch (_random.Next(6))
            {
                case 0:
                    Desk.PayFunding(perpetual, _random.Next(-30_000, 30_000) / 10_000_000m, _random.Next(2) == 0 ? null : Price());
                    return "funding";
                case 1:
                    ulong owner = 2 * (ulong)_random.Next(1, Accounts / 2);
                    Desk.OwnerTransfer(owner, owner + 1, _random.Next(2) == 0 ? Desk.Usd : Desk.Btc, _random.Next(1, 100_000) / 1_000_000m);
                    return "transfer";
                case 2:
                    Desk.Mark(perpetual, Price());
                    return "mark";
                case 3:
                    Trade(_expiring[_random.Next(_expiring.Count)], _random.Next(1, 20));
                    return "trade";
                default:
                    Trade(perpetual, _random.Next(1, 999));
                    return "trade";
            }
        }

        /// <summary>Returns in how many accounts options that pay in coin were settled.</summary>
        public int SettleAll()
        {
            int before = Desk.Of(AccountSettledDecoder.TemplateId).Count();
            foreach (ulong expiry in Expiries)
            {
                Desk.Settle(63_123.45m, expiry);
            }

            int inCoin = 0;
            foreach (byte[] message in Desk.Of(AccountSettledDecoder.TemplateId).Skip(before))
            {
                AccountSettledDecoder.TryWrap(message, out AccountSettledDecoder settled);
                inCoin += settled.CurrencyId == Desk.Btc ? (int)settled.Positions : 0;
            }

            return inCoin;
        }

        /// <summary>Every perpetual position is sold to, or bought from, one account at one price; its own goes with the last.</summary>
        public void CloseAll()
        {
            foreach (uint perpetual in _perpetuals)
            {
                decimal price = Price();
                for (ulong account = 2; account <= Accounts; account++)
                {
                    long lots = Desk.Report(account).Units.SelectMany(unit => unit.Positions).SingleOrDefault(held => held.InstrumentId == perpetual)?.Lots ?? 0;
                    if (lots != 0)
                    {
                        Both(account, 1, perpetual, -lots, price);
                    }
                }
            }
        }

        public void Dispose() => Desk.Dispose();

        private void Deposit(ulong account, ushort currency, decimal amount)
        {
            Desk.Transfer(account, currency, amount);
            PaidInUsd += currency == Desk.Usd ? (long)(amount * 1_000_000m) : 0;
            PaidInBtc += currency == Desk.Btc ? (long)(amount * 10_000_000_000m) : 0;
        }

        private void Trade(uint instrument, int lots)
        {
            bool isCoinOption = _expiring.Contains(instrument) && (_expiring.IndexOf(instrument) % 4) is 1 or 2;
            ulong buyer = (ulong)_random.Next(1, Accounts + 1);
            ulong seller = 1 + ((buyer + (ulong)_random.Next(0, Accounts - 1)) % Accounts);
            Both(buyer, seller, instrument, lots, isCoinOption ? _random.Next(100, 900) / 10_000m : Price());
        }

        private void Both(ulong buyer, ulong seller, uint instrument, long lots, decimal price)
        {
            Desk.Fill(buyer, instrument, lots, price);
            Desk.Fill(seller, instrument, -lots, price);
        }

        private decimal Price() => 60_000m + (_random.Next(0, 800_000) / 100m);
    }
}
