namespace MarginEngine.Logic;

/// <content>
/// The accounts' part of the state digest. Journals of before took one account after the other into one digest (<see cref="Limits.Digest"/> 1), which costs a
/// heartbeat the whole book: 33 ms of every second with 100,000 accounts of 20 positions. Since then each is a digest by itself, taken when the account has changed, and their sum counts.
/// </content>
public sealed partial class MarginMachine
{
    // Accounts of an event whose digests are taken at its end; the rest waits for the next, or for the heartbeat.
    private const int DigestsAnEvent = 64;

    private void AddAccounts(ref Digest64 digest)
    {
        if (_limits.Digest == 1)
        {
            for (int account = 0; account < _book.AccountCount; account++)
            {
                AddAccount(account, ref digest);
            }

            return;
        }

        TakeDigests(int.MaxValue);
        digest.Add(_book.AccountCount);
        digest.Add(_book.Digests.Sum);
    }

    private void TakeDigests(int most)
    {
        if (_limits.Digest == 1)
        {
            return;
        }

        for (; most > 0 && _book.Digests.TryTake(out int account); most--)
        {
            Digest64 one = new(4);
            AddAccount(account, ref one);
            _book.Digests.Set(account, one.Value);
        }
    }

    // Some accounts are taken anew whether they changed or not, others with each beat and all within minutes: what changes memory behind our back is found still.
    private void DoubtDigests()
    {
        const int AtOnce = 256, Longest = 1_024;
        int stride = Math.Clamp(_book.AccountCount / AtOnce, 1, Longest);
        for (int account = (int)(_lastHeartbeat / Limits.HeartbeatNanos % stride); account < _book.AccountCount; account += stride)
        {
            _book.Digests.PositionsChanged(account);
        }
    }

    /// <summary>The state digest without anything that was kept from before: for tests of what is kept.</summary>
    internal ulong StateDigestAnew()
    {
        _book.Digests.Forget(_book.AccountCount);
        return StateDigest();
    }

    // A sum, so that neither slot numbers nor the order of links count.
    private ulong PositionsOf(int account)
    {
        if (_book.Digests.TryPositions(account, out ulong sum))
        {
            return sum;
        }

        sum = 0;
        for (int unit = _book.AccountAt(account).FirstUnit; unit >= 0; unit = _book.UnitAt(unit).NextOfAccount)
        {
            for (int position = _book.UnitAt(unit).FirstPosition; position >= 0; position = _book.PositionAt(position).NextOfUnit)
            {
                sum = unchecked(sum + DigestOf(_book.PositionAt(position)));
            }
        }

        _book.Digests.SetPositions(account, sum);
        return sum;
    }
}
