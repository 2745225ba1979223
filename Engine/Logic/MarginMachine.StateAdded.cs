namespace MarginEngine.Logic;

/// <content>
/// Digest of what later versions of the schema added. It counts only where it was used, so that the journals of before keep their
/// digests; each part starts with a word of its own, so that parts that are left out cannot be taken for one another.
/// </content>
public sealed partial class MarginMachine
{
    private const ulong SettlementFeesMark = 0xF1, FundingMark = 0xF2, ClassesMark = 0xF3, MembershipMark = 0xF4, FurtherMark = 0xF5, OpenInterestMark = 0xF6, ArrayMark = 0xF7;

    private static void AddSettlementFees(in Underlying underlying, ref Digest64 digest)
    {
        if (underlying.HasSettlementFees)
        {
            digest.Add(SettlementFeesMark);
            digest.Add(underlying.ExerciseFeeE8);
            digest.Add(underlying.AssignmentFeeE8);
            digest.Add(underlying.SettlementFeeCapE8);
        }
    }

    private static void AddFunding(in Instrument instrument, ref Digest64 digest)
    {
        if (instrument.FundingRateE8 != 0)
        {
            digest.Add(FundingMark);
            digest.Add(instrument.FundingRateE8);
        }
    }

    private void AddArray(int index, in Instrument instrument, ref Digest64 digest)
    {
        if (instrument.ArrayRows == 0)
        {
            return;
        }

        digest.Add(ArrayMark);
        digest.Add(((ulong)(uint)instrument.ArrayRows << 32) | unchecked((uint)instrument.ArrayExponent));
        digest.Add(instrument.ArrayDeltaE8);
        foreach (long profit in _market.Arrays.Of(index, instrument.ArrayRows))
        {
            digest.Add(profit);
        }
    }

    private static void AddOpenInterest(in Instrument instrument, ref Digest64 digest)
    {
        if (instrument.OpenInterest != 0)
        {
            digest.Add(OpenInterestMark);
            digest.Add(instrument.OpenInterest);
        }
    }

    private static void AddFurther(uint first, uint second, ref Digest64 digest)
    {
        if ((first | second) != 0)
        {
            digest.Add(FurtherMark);
            digest.Add(((ulong)first << 32) | second);
        }
    }

    private void AddClasses(ref Digest64 digest)
    {
        for (int index = 0; index < _classes.Count; index++)
        {
            ref readonly AccountClass rules = ref _classes.At(index);
            digest.Add(ClassesMark);
            digest.Add(((ulong)rules.Id << 32) | rules.Version);
            digest.Add(rules.Digest);
        }
    }

    private static void AddMembership(in Account account, ref Digest64 digest)
    {
        if (account.OwnerId != 0 || account.Class != 0)
        {
            digest.Add(MembershipMark);
            digest.Add(account.OwnerId);
            digest.Add(((ulong)(uint)account.Class << 1) | (account.FollowsClass ? 1UL : 0UL));
        }
    }
}
