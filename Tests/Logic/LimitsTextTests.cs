using MarginEngine.Journal;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>The line that a journal carries: it holds every capacity, reads back, and nothing else is taken for one.</summary>
public sealed class LimitsTextTests
{
    private static readonly Limits Largest = new()
    {
        Accounts = 16_777_216, Units = int.MaxValue, Positions = int.MaxValue, Orders = int.MaxValue, Instruments = int.MaxValue, Underlyings = 1_024,
        Expiries = 1_048_576, Currencies = 64, Models = 16, Legs = 256, EventMessages = 9_999_999, Sources = 65_536, RefreshSlice = 999_999,
        Grids = 1_048_576, RefreshPositions = Limits.MostRefreshPositions,
    };

    private static readonly Limits[] Some = [new(), Limits.Small, Largest];

    [TestCaseSource(nameof(Some))]
    public void Every_capacity_comes_back(Limits limits) => Assert.That(LimitsText.Parse(LimitsText.Of(limits)), Is.EqualTo(limits));

    [Test]
    public void The_longest_line_fits_the_segment_header() =>
        Assert.That(() => IdentityFields.CheckTexts(new JournalIdentity(1, 1, 1, "", "", "", LimitsText.Of(Largest))), Throws.Nothing);

    [Test]
    public void No_capacity_is_left_out() =>
        Assert.That(LimitsText.Of(new Limits()).Split(' '), Has.Length.EqualTo(2 * typeof(Limits).GetProperties().Count(property => property.CanWrite && !property.GetMethod!.IsStatic)));

    [Test]
    public void A_line_from_before_there_were_grids_reads_with_their_default()
    {
        string text = LimitsText.Of(Limits.Small);
        Assert.That(LimitsText.Parse(text[..text.IndexOf(" grids", StringComparison.Ordinal)]), Is.EqualTo(Limits.Small with { Grids = new Limits().Grids, RefreshPositions = Limits.MostRefreshPositions, Digest = 1 }));
    }

    [Test]
    public void A_line_from_before_refreshes_were_bounded_by_positions_has_no_such_bound()
    {
        string text = LimitsText.Of(Limits.Small);
        Assert.That(LimitsText.Parse(text[..text.IndexOf(" slice", StringComparison.Ordinal)]), Is.EqualTo(Limits.Small with { RefreshPositions = Limits.MostRefreshPositions, Digest = 1 }));
    }

    [Test]
    public void A_line_from_before_accounts_were_digests_by_themselves_has_them_in_one()
    {
        string text = LimitsText.Of(Limits.Small);
        Assert.That(LimitsText.Parse(text[..text.IndexOf(" digest", StringComparison.Ordinal)]), Is.EqualTo(Limits.Small with { Digest = 1 }));
    }

    [TestCase("")]
    [TestCase("accounts 8")]
    [TestCase("accounts -1 units 512 positions 4096 orders 4096 instruments 1024 underlyings 16 expiries 256 currencies 16 models 4 legs 128 eventMessages 16384 sources 64 refreshSlice 32")]
    [TestCase("accounts 0 units 512 positions 4096 orders 4096 instruments 1024 underlyings 16 expiries 256 currencies 16 models 4 legs 128 eventMessages 16384 sources 64 refreshSlice 32")]
    [TestCase("units 512 accounts 8 positions 4096 orders 4096 instruments 1024 underlyings 16 expiries 256 currencies 16 models 4 legs 128 eventMessages 16384 sources 64 refreshSlice 32")]
    public void Anything_else_is_no_capacities(string text) => Assert.That(LimitsText.Parse(text), Is.Null);
}
