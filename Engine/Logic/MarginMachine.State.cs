namespace MarginEngine.Logic;

/// <content>The digest of the whole state: what a standby and a replay must agree on, bit for bit.</content>
public sealed partial class MarginMachine
{
    /// <summary>A defect that the simulation plants on its own thread, to show that it would be found. Never set elsewhere.</summary>
    [ThreadStatic]
    internal static bool LeavesMoneyOut;

    /// <summary>
    /// Digest of everything that can influence a later decision. Positions and orders are summed, so that neither slot numbers nor the
    /// order of links count; everything else is taken in index order, which is the order of definition.
    /// </summary>
    public ulong StateDigest()
    {
        Digest64 digest = new(1);
        digest.Add(LastSequence);
        digest.Add(_now);
        digest.Add(_market.ValuationTime);
        digest.Add(_hasMarketTime ? _marketTime : -1);
        digest.Add((_isHalted ? 1UL : 0UL) | (_isReduceOnly ? 2UL : 0UL));
        digest.Add(_lastRiskArray);
        digest.Add(((ulong)(uint)_refreshCursor << 32) | (uint)_riskArrayCursor);
        digest.Add(_pendingMessages);
        AddMarket(ref digest);
        AddModels(ref digest);
        AddClasses(ref digest);
        AddAccounts(ref digest);

        for (int source = 0; source < _sources.Count; source++)
        {
            digest.Add(_sources.SourceAt(source));
            digest.Add(_sources.Last(_sources.SourceAt(source)));
        }

        digest.Add(_decisions.Count);
        return digest.Value;
    }

    private void AddMarket(ref Digest64 digest)
    {
        for (int index = 0; index < _market.CurrencyCount; index++)
        {
            ref readonly Currency currency = ref _market.CurrencyAt(index);
            digest.Add(((ulong)currency.Id << 32) | (uint)currency.Decimals);
            digest.Add(currency.Underlying);
            digest.Add(currency.RateE8);
            digest.Add(_market.CurrencyCodeAt(index));
        }

        for (int index = 0; index < _market.UnderlyingCount; index++)
        {
            ref readonly Underlying underlying = ref _market.UnderlyingAt(index);
            digest.Add(((ulong)underlying.Id << 32) | (uint)underlying.Currency);
            digest.Add(underlying.IndexE8);
            digest.Add(underlying.IndexTime);
            AddConfidence(ref digest, underlying.ConfidenceE8);
            AddSettlementFees(underlying, ref digest);
            AddFurther(underlying.IndexFurther, underlying.ConfidenceFurther, ref digest);
        }

        for (int index = 0; index < _market.ExpiryCount; index++)
        {
            ref readonly Expiry expiry = ref _market.ExpiryAt(index);
            digest.Add(expiry.TimeNanos);
            digest.Add(expiry.ForwardE8);
            digest.Add(expiry.ForwardTime);
            _market.AddSurface(ref digest, expiry);
            AddConfidence(ref digest, expiry.ForwardConfidenceE8);
            AddConfidence(ref digest, expiry.SliceConfidenceE8);
            AddConfidence(ref digest, expiry.RateConfidenceE8);
            if (expiry.HasRate || expiry.FixedPartE8 != 0)
            {
                digest.Add(expiry.HasRate ? 1UL : 0UL);
                digest.Add(expiry.RateE8);
                digest.Add(expiry.FixedPartE8);
            }
        }

        _surface.AddTo(ref digest);

        for (int index = 0; index < _market.InstrumentCount; index++)
        {
            ref readonly Instrument instrument = ref _market.InstrumentAt(index);
            digest.Add(instrument.Id);
            digest.Add(((ulong)instrument.Kind << 24) | ((ulong)instrument.Settlement << 16) | ((ulong)instrument.Right << 8)
                | (instrument.IsSettled ? 1UL : 0UL));
            digest.Add(((ulong)(uint)instrument.Underlying << 32) | (uint)instrument.Currency);
            digest.Add(instrument.Expiry);
            digest.Add(instrument.SizeE8);
            digest.Add(instrument.StrikeE8);
            digest.Add(instrument.MarkE8);
            digest.Add(instrument.MarkTime);
            digest.Add(instrument.VolatilityE8);
            digest.Add(instrument.VolatilityTime);
            digest.Add(instrument.IsDirty ? 1UL : 0UL);
            AddConfidence(ref digest, instrument.MarkConfidenceE8);
            AddConfidence(ref digest, instrument.VolatilityConfidenceE8);
            AddFunding(instrument, ref digest);
            AddFurther(instrument.VolatilityFurther, 0, ref digest);
            AddOpenInterest(instrument, ref digest);
            AddArray(index, instrument, ref digest);
        }
    }

    // State that came with later versions of the schema counts where it is used, so that older journals keep their digests.
    private static void AddConfidence(ref Digest64 digest, long confidenceE8)
    {
        if (confidenceE8 != Fixed.One)
        {
            digest.Add(confidenceE8);
        }
    }

    private void AddModels(ref Digest64 digest)
    {
        foreach (CompiledModel model in _models)
        {
            digest.Add(((ulong)model.Id << 32) | model.Version);
            digest.Add(model.Digest);
            if (model.Activation != 0)
            {
                digest.Add(model.Activation);
                digest.Add(model.IsCompared ? 1UL : 0UL);
            }
        }

        if (_staging.Id != 0)
        {
            digest.Add(((ulong)_staging.Id << 48) | ((ulong)_staging.Parts << 32) | _staging.Version);
            digest.Add(_staging.Digest.Value);
        }
    }

    private void AddAccount(int index, ref Digest64 digest)
    {
        ref readonly Account account = ref _book.AccountAt(index);
        digest.Add(account.Id);
        digest.Add(((ulong)account.State << 32) | (uint)account.Model);
        digest.Add((account.IsDirty ? 1UL : 0UL) | (account.IsChangedByOwner ? 2UL : 0UL));
        digest.Add(LeavesMoneyOut ? 0 : account.Margin.Equity);
        digest.Add(LeavesMoneyOut ? 0 : account.Margin.GrossEquity);
        digest.Add(account.Margin.Initial);
        digest.Add(account.Margin.Maintenance);
        digest.Add(account.Margin.RatioE8);
        digest.Add(account.PublishedRatioE8);
        digest.Add(account.PublishedTime);
        digest.Add((ulong)account.PublishedFlags);
        digest.Add(account.LiquidationId);
        digest.Add(account.LiquidationTime);
        digest.Add(account.LiquidationAttempt);
        digest.Add(account.LiquidationLots);
        if (account.ComparedTime != 0)
        {
            digest.Add(account.ComparedTime);
        }

        AddMembership(account, ref digest);
        foreach (long balance in _book.BalancesOf(index))
        {
            digest.Add(LeavesMoneyOut ? 0 : balance);
        }

        digest.Add(PositionsOf(index));
    }

    private ulong DigestOf(in Position position)
    {
        Digest64 digest = new(2);
        digest.Add(position.Instrument);
        digest.Add(position.Lots);
        digest.Add(position.EntryCost);
        ulong orders = 0;
        for (int index = position.FirstOrder; index >= 0; index = _book.OrderAt(index).NextOfPosition)
        {
            ref readonly Order order = ref _book.OrderAt(index);
            Digest64 one = new(3);
            one.Add(order.Id);
            one.Add((ulong)order.Side);
            one.Add(order.Lots);
            one.Add(order.PriceE8);
            one.Add(order.Cost);
            unchecked
            {
                orders += one.Value;
            }
        }

        digest.Add(orders);
        return digest.Value;
    }
}
