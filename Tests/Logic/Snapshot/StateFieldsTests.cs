using System.Reflection;
using System.Runtime.CompilerServices;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests.Snapshots;

/// <summary>
/// Nobody adds state and forgets the snapshot. Every field of the records is changed in a live machine and must change the bytes, unless it stands here as a
/// link or as something that follows from the rest; the fields of the classes around them stand here by name, so that a new one has to be looked at.
/// </summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class StateFieldsTests
{
    // Links (told as the order of lists), what is made again from definitions, and counters that only tell caches apart.
    private static readonly HashSet<string> NotTold =
    [
        "Account.FirstUnit", "RiskUnit.Account", "RiskUnit.NextOfAccount", "RiskUnit.FirstPosition", "Position.Unit", "Position.FirstOrder", "Position.NextOfUnit",
        "Position.NextHolder", "Position.PreviousHolder", "Order.Position", "Order.NextOfPosition", "Order.PreviousOfPosition", "Instrument.Strike",
        "Instrument.Version", "Instrument.FirstHolder", "Instrument.NextOfExpiry", "Underlying.LastExpiry", "Expiry.Grid", "Expiry.FirstInstrument",
        "Expiry.Earlier", "Expiry.Later",
    ];

    // Every instance field of the classes that hold state. Read a new one's class before you add it here: does it decide anything later?
    private static readonly (Type Type, string Told, string Scratch)[] Reviewed =
    [
        (typeof(MarginMachine),
            "_market _book _models _parameters _staging _pendingModels _sources _surface _decisions _now _lastHeartbeat _hasMarketTime _marketTime _isHalted _isReduceOnly "
            + "_classes _movedUnderlyings _anyIndexMoved _refreshCursor _riskArrayCursor _lastRiskArray _pendingMessages LastSequence Epoch Evaluations _rows",
            "_limits _crossings _valuationStep _oldestOfRound OldestMarginNanos Looks IsExhaustive _calculator _planner _fillable _fillablePrices _shares _faultPlace _clearedParameters"),
        (typeof(MarketState),
            "_instruments _symbols _underlyings _underlyingCodes _expiries _currencies _currencyCodes InstrumentCount UnderlyingCount ExpiryCount CurrencyCount "
            + "DirtyCurrencies ValuationTime Grids Arrays",
            "Moves ListsTouched _optionVersions _dirty DirtyCount _instrumentIds _underlyingIds _currencyIds _expiryIds _strikeIds _strikes StrikeCount"),
        (typeof(Book),
            "_accounts _balances _units _positions _orders AccountCount",
            "_currencies _accountIds _orderIds _dirty _dirtyCount _digests _market _unitOrdinals _positionOrdinals _orderOrdinals"),
        (typeof(VolatilityGrids), "_slots _logMoneynessE12 _volatilityE8", "_arrival _arrived"),
        (typeof(MarkArrays), "_profits", ""),
        (typeof(FillablePrice), "", "_market _book _units"),
        (typeof(SurfaceUpdate), "_staged _count", "_market"),
        (typeof(SourceTable), "_last _sources Count", ""),
        (typeof(AccountClasses), "_classes _names _named Count", "_underlyings _ids"),
        (typeof(DecisionWriter), "_digest Count Rejects", "_buffer _sink Cause"),
        (typeof(Digest64), "_state", ""),
        (typeof(ModelParameters),
            "_model _rows _joint _underlyings _isUnderlyingNamed _currencies _isCurrencyNamed _haircutTiers _haircutTierCount _addOns _tiers _tierCount _spreadLegs "
            + "_spreadRates RowCount AddOnCount SpreadCount HasJointRows",
            "_underlyingLimit"),

        // What is not told of a model is compiled from its parameters.
        (typeof(CompiledModel),
            "Id Version Activation IsCompared Name Digest Parameters KnownUnderlyings KnownCurrencies",
            "_spotFactor _logSpotFactor _linearFactor _optionWeight _dampener _volatilityMove _spotShockE8 _addOns _tiers _underlyings _discount Generation RowCount "
            + "InitialFactorE8 MaintenanceFactorE8 Measure TailRows NetsAcross MaximumStep Orders CountsOptionValue ChargesCollateralBefore MeasuresFromMark "
            + "PricesFromIndex DependsOnIndex Discounts InterpolatesSurface HasTimedRows HasDeltaRows TakesArrays SpreadToMaintenance BankruptcyAdjustment SumsByExpiry Volatility PegUnderlying PegThresholdE8 PegFactorE8 "
            + "PegDivides LiquidationRate LiquidationImpact LiquidationDepth ChargesLiquidation ThresholdE8 HysteresisE8 TargetRatioE8 StalePriceNanos "
            + "StaleVolatilityNanos RepriceNanos PublishRatioStepE8 RefreshNanos LiquidationRetryNanos AddOnCount SpreadCount Kinds Places Rows PairOf VolatilityShocks "
            + "Underlyings Collaterals HaircutTiers Spreads SpreadLegs IsByCrossings IsBounded ChargesStaleness Bounds"),

        // Rows are priced again; RowCaches compares them. The calculators hold nothing from one call to the next.
        (typeof(RiskRows), "", "_market _models _instruments _rows _risks _sigma _call _put _factor _logFactor _discount _terms _expiries _moduli _slopes _lotSlopes _deviationSlope _boundedAt"),
        (typeof(UnitCalculator), "",
            "_market _book _models _rows _measure _expirySums _sums _orders _profits _profitsWithOrders _netDelta _expiries _legs _legCount _expiryCount _scope "
            + "_addOnInitial _addOnMaintenance _strikeCalls _strikePuts _strikeSeen _strikes _isolatedInitial _isolatedMaintenance _strikeCount _deltas _moduli _rowLots _rowLotCount _expirySeen _positionAddOns _positionAddOnCount Detail"),
        (typeof(AccountCalculator), "", "_market _book _models _collateral _groups _credits _totals Units Bounds"),
        (typeof(GroupCalculator), "", "_market _book _units _collateral _bounds _measure _keys _first _lowestConfidence _initial _maintenance _rows _rowsWithOrders _hasOrders _count"),
        (typeof(LiquidationPlanner), "",
            "_market _book _models _rows _calculator _legs _original _positions _balances _legCount _positionCount ExpectedCost"),
        (typeof(SpreadCredits), "", "_market _legs _margins _count"),
        (typeof(ExpirySums), "", "_market _slotOf _expiries _rows _values _currencies _rowLength Count"),
    ];

    private static IEnumerable<TestCaseData> Classes() => Reviewed.Select((entry, index) => new TestCaseData(index).SetName($"Every field of {entry.Type.Name} was looked at"));

    [TestCaseSource(nameof(Classes))]
    public void Every_field_was_looked_at(int index)
    {
        (Type type, string told, string scratch) = Reviewed[index];
        string[] known = [.. $"{told} {scratch}".Split(' ', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];
        string[] found = [.. type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).Select(NameOf).Order(StringComparer.Ordinal)];
        Assert.That(found, Is.EqualTo(known), $"{type.Name} has other fields than those that the snapshot was made for: does a later decision depend on a new one?");
    }

    [Test]
    public void Every_field_of_a_record_that_is_changed_changes_the_snapshot_and_comes_back()
    {
        using Desk desk = Scenes.Everything(seed: 5, ticks: 34);
        MarginMachine machine = desk.Machine;
        MarketState market = Part<MarketState>(machine, "_market");
        Book book = Part<Book>(machine, "_book");
        AccountClasses classes = Part<AccountClasses>(machine, "_classes");
        int account = Enumerable.Range(0, book.AccountCount).First(index => book.AccountAt(index).FirstUnit >= 0);
        int unit = book.AccountAt(account).FirstUnit;
        int held = Enumerable.Range(0, Limits.Small.Positions).First(index => book.PositionAt(index).FirstOrder >= 0 && book.PositionAt(index).Lots != 0);
        List<string> changed = [];
        changed.AddRange(ChangeAll(machine, ref book.ChangeAccount(account)));
        changed.AddRange(ChangeAll(machine, ref book.UnitAt(unit)));
        changed.AddRange(ChangeAll(machine, ref book.ChangePosition(held)));
        changed.AddRange(ChangeAll(machine, ref System.Runtime.CompilerServices.Unsafe.AsRef(in book.OrderAt(book.PositionAt(held).FirstOrder))));
        changed.AddRange(ChangeAll(machine, ref market.InstrumentAt(2)));
        changed.AddRange(ChangeAll(machine, ref market.UnderlyingAt(1)));
        changed.AddRange(ChangeAll(machine, ref market.ExpiryAt(2)));
        changed.AddRange(ChangeAll(machine, ref market.CurrencyAt(1)));
        changed.AddRange(ChangeAll(machine, ref classes.At(1)));
        TestContext.Out.WriteLine($"{changed.Count} fields");
        Assert.That(changed, Has.Count.GreaterThan(120));
    }

    // Changes one leaf after the other, looks whether the bytes change, and puts it back.
    private static List<string> ChangeAll<T>(MarginMachine machine, ref T record)
        where T : struct
    {
        T before = record;
        byte[] bytes = Bytes(machine);
        List<string> changed = [];
        foreach (FieldInfo[] path in Leaves(typeof(T), []))
        {
            string name = $"{path[^1].DeclaringType!.Name}.{path[^1].Name}";
            if (NotTold.Contains(name))
            {
                continue;
            }

            object boxed = before;
            Set(boxed, path, 0);
            record = (T)boxed;
            bool differs = !bytes.AsSpan().SequenceEqual(Bytes(machine));
            record = before;
            Assert.That(differs, Is.True, $"{name} is in no snapshot");
            changed.Add(name);
        }

        return changed;
    }

    private static IEnumerable<FieldInfo[]> Leaves(Type type, FieldInfo[] path)
    {
        foreach (FieldInfo field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
        {
            bool isLeaf = field.FieldType.IsPrimitive || field.FieldType.IsEnum;
            foreach (FieldInfo[] leaf in isLeaf ? [[.. path, field]] : Leaves(field.FieldType, [.. path, field]))
            {
                yield return leaf;
            }
        }
    }

    private static void Set(object record, FieldInfo[] path, int depth)
    {
        object value = path[depth].GetValue(record)!;
        if (depth + 1 < path.Length)
        {
            Set(value, path, depth + 1);
        }
        else
        {
            value = Other(value);
        }

        path[depth].SetValue(record, value);
    }

    // Indices stay in range: 0 becomes 1 and everything else one less.
    private static object Other(object value) => value switch
    {
        bool flag => !flag,
        Enum kind => Enum.ToObject(kind.GetType(), Convert.ToInt64(kind, null) ^ 1),
        _ => Convert.ChangeType(Convert.ToDecimal(value, null) == 0 ? 1 : Convert.ToDecimal(value, null) - 1, value.GetType(), null),
    };

    private static byte[] Bytes(MarginMachine machine)
    {
        StateBlocks blocks = new();
        machine.Save(blocks);
        return [.. Enumerable.Range(0, blocks.Count).SelectMany(block => blocks[block].ToArray())];
    }

    private static string NameOf(FieldInfo field) =>
        field.GetCustomAttribute<CompilerGeneratedAttribute>() is null ? field.Name : field.Name[1..field.Name.IndexOf('>')];

    private static T Part<T>(object of, string name) =>
        (T)of.GetType().GetField(name, BindingFlags.NonPublic | BindingFlags.Instance)!.GetValue(of)!;
}
