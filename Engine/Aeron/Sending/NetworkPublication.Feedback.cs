// What receivers say to a publication: status messages, NAKs and what is sent again for them, rejections. The endpoint hands them over.

using System.Text;

namespace MarginEngine.Aeron;

/// <content>Feedback of receivers.</content>
internal sealed unsafe partial class NetworkPublication
{
    /// <summary>A receiver asks for a SETUP. At the end of the stream there is nothing left to join.</summary>
    public void OnSetupWanted(long receiverId)
    {
        if (_isRevoked || (State != PublicationState.Active && IsAllSent))
            return;
        _setupWanted = true;
        _joinerId = receiverId;
    }

    public void OnStatusMessage(in StatusMessageFrame frame, long? groupTag, long now)
    {
        _counters.StatusMessagesReceived++;
        if ((frame.Flags & FrameFlags.StatusSendSetup) != 0)
        {
            OnSetupWanted(frame.ReceiverId);
            return;
        }

        long consumption = Log.Position(frame.ConsumptionTermId, frame.ConsumptionTermOffset);
        if (!IsPlausible(frame, consumption))
        {
            _counters.StatusMessagesRejected++;
            return;
        }
        if ((frame.Flags & FrameFlags.StatusEndOfStream) != 0)
        {
            _unicastReceiverLeft |= !HasManyReceivers;
            OnReceiverGone(frame.ReceiverId);
            return;
        }

        // Only the first receiver's answer ends the asking: a later joiner may be waiting for the SETUP it asked for.
        if (!_flowControl.HasReceivers)
            _setupWanted = false;
        _hasInitialConnection = true;
        _unicastReceiverLeft = false;
        _receiverWindow = frame.ReceiverWindow;
        _senderLimit = _flowControl.OnStatusMessage(frame, groupTag, consumption, _senderLimit, now);
        PublishLimit();
    }

    /// <summary>A receiver rejects the stream. Only one that was a receiver is reported: anybody can send such a frame.</summary>
    public void OnReceiverError(ErrorFrame* frame, Ipv4Endpoint source)
    {
        if (!_flowControl.Remove(frame->ReceiverId))
            return;
        PublishLimit();
        if (ReceiverErrors is null)
            return;
        string text = Encoding.UTF8.GetString((byte*)frame + ErrorFrame.Length, Math.Min(frame->TextLength, Limits.MaxErrorTextLength));
        ReceiverErrors(new ReceiverError(frame->ReceiverId, frame->ErrorCode, text, source));
    }

    private void OnReceiverGone(long receiverId)
    {
        _flowControl.Remove(receiverId);
        PublishLimit();
    }

    public void OnNak(in NakFrame frame, long now)
    {
        _counters.NaksReceived++;
        if (frame.MissingLength <= 0 || frame.TermOffset < 0 || frame.TermOffset > Log.TermLength - DataHeader.Length
            || frame.TermOffset % Limits.FrameAlignment != 0)
        {
            _counters.MalformedFrames++;
            return;
        }
        long position = Log.Position(frame.TermId, frame.TermOffset);
        long oldest = _senderPosition - (Log.TermLength / 2) - MaxMessageLength;
        int length = Math.Min(Math.Min(frame.MissingLength, Log.TermLength - frame.TermOffset), _maxRetransmitLength);
        if (_isRevoked || position < Math.Max(oldest, _cleanPosition) || position >= _senderPosition || !IsFrameAt(position, frame)
            || !_retransmits.TryBegin(position, length, now, out int slot))
        {
            _counters.NaksIgnored++;
            return;
        }
        _retransmits.Complete(slot, Retransmit(position, length));
    }

    private bool IsPlausible(in StatusMessageFrame frame, long consumption)
    {
        // The sender may be ahead of a full window by a PAD frame, which is at most a message long.
        long oldest = _senderPosition - (Log.TermLength / 2) - MaxMessageLength - DataHeader.Length;
        return consumption >= oldest && consumption <= _senderPosition + (Log.TermLength / 2)
            && frame.ConsumptionTermOffset >= 0 && frame.ConsumptionTermOffset < Log.TermLength
            && frame.ConsumptionTermOffset % Limits.FrameAlignment == 0
            && frame.ReceiverWindow >= 0 && frame.ReceiverWindow <= Log.TermLength / 2;
    }

    /// <summary>A NAK that points into the middle of a frame would have payload taken for headers.</summary>
    private bool IsFrameAt(long position, in NakFrame frame)
    {
        var header = (DataHeader*)Log.At(position);
        return header->TermOffset == frame.TermOffset && header->TermId == frame.TermId && header->SessionId == SessionId;
    }

    /// <summary>Sends the range again in datagrams; returns the bytes of the stream that it covered.</summary>
    private int Retransmit(long position, int length)
    {
        DatagramBatch burst = _endpoint.Burst;
        int* ends = stackalloc int[Limits.SendBatch];
        int covered = 0;
        while (covered < length)
        {
            burst.Clear();
            int planned = covered;
            while (planned < length && burst.Count < burst.Capacity)
            {
                byte* frame = Log.At(position + planned);
                int bytes = TermScanner.Available(frame, length - planned, Log.Mtu, out int padding);
                if (bytes == 0)
                    break;
                burst.Add(frame, bytes, default);
                planned += bytes + padding;
                ends[burst.Count - 1] = planned;
            }
            if (burst.Count == 0)
                break;
            int sent = _endpoint.SendBurst();
            _counters.Retransmits += sent;
            if (sent > 0)
                covered = ends[sent - 1];
            if (sent < burst.Count)
                break;
        }
        return covered;
    }
}
