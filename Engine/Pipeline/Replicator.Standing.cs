// What a primary tells its standby about itself: where its epoch began, whether its gate waits for it. A standby that knows both can
// follow after having been the primary, and can take over without anything missing.
using MarginEngine.Codecs;
using MarginEngine.Watch;

namespace MarginEngine.Pipeline;

/// <content>Epochs and the gate.</content>
internal sealed partial class Replicator
{
    private const long NotGated = -1;
    private const long StateNanos = 200_000_000;
    private long _boundaryOfEpoch = -1;
    private EpochBoundary _boundary;
    private long _gatedFrom = NotGated;
    private long _stateSentNanos;
    private bool _hasSentLive;
    private long _sentGatedFrom;

    /// <summary>
    /// A former primary may hold records that this one never had: it is told where our history left its epoch and is no standby of ours until
    /// it has cut them.
    /// </summary>
    private bool HasTail(uint epoch, long received)
    {
        if (_boundaryOfEpoch != epoch)
        {
            // A place that retention has deleted is not known: such a standby is told to begin from a copy, as one that lacks old records is.
            _boundary = _catchUp.FindBoundary(epoch, _gauges.Journalled.Value, out bool isGone) ?? _options.Beginning;
            if (isGone)
            {
                _gauges.ReplicaEvents.Count((int)NodeEvent.RecordsGone);
                return true;
            }

            _boundaryOfEpoch = epoch;
        }

        if (received < _boundary.First)
            return false;
        // The epoch was ours, so the standby had these records from us: we have lost them, and what was decided on them may have been heard.
        if (_options.Led.Contains(epoch))
            throw new StandbyAheadException(received, _boundary.First - 1);
        Encode(_boundary);
        if (TryFlush())
            _gauges.ReplicaEvents.Count((int)NodeEvent.UnreplicatedTail);
        _frameBytes = 0;
        return true;
    }

    private void Encode(in EpochBoundary boundary)
    {
        EpochStartEncoder start = EpochStartEncoder.Wrap(_frame);
        start.Epoch = boundary.Epoch;
        start.FirstSequence = (ulong)boundary.First;
        start.ChainBefore = boundary.ChainBefore;
        _frameBytes = start.EncodedLength;
    }

    /// <summary>From here on the gate waits for this standby, also where a promoted primary has done without one so far.</summary>
    private void GoLive()
    {
        _state = State.Live;
        if (!_options.HasStandbyInGate || _gatedFrom != NotGated)
            return;
        _gauges.Alone.Set(0);
        // Whatever passes a gate that still stood open was journalled before this line, so it is not above what was received by now.
        Interlocked.MemoryBarrier();
        _gatedFrom = _gauges.Received.Value;
    }

    /// <summary>What a standby must know before it may take our place.</summary>
    private void SendState()
    {
        bool isLive = _state == State.Live;
        if (_frameBytes > 0 || isLive == _hasSentLive && _gatedFrom == _sentGatedFrom && _clock.MonotonicNanos - _stateSentNanos < StateNanos)
            return;
        StandbyStateEncoder state = StandbyStateEncoder.Wrap(_frame);
        state.Epoch = _options.Epoch;
        state.GatedFrom = (ulong)Math.Max(0, _gatedFrom);
        state.Flags = (isLive ? StandbyFlags.Live : 0) | (_gatedFrom == NotGated ? 0 : StandbyFlags.Gated);
        if (_records.Offer(_frame.AsSpan(0, state.EncodedLength)) > 0)
            (_hasSentLive, _sentGatedFrom, _stateSentNanos) = (isLive, _gatedFrom, _clock.MonotonicNanos);
    }
}
