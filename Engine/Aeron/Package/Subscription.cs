// A subscription of the client library under our names: whole messages to a handler of any type, without an allocation for a message.
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Adaptive.Aeron.LogBuffer;
using Adaptive.Agrona;
using Client = Adaptive.Aeron;

namespace MarginEngine.Aeron;

public sealed unsafe class Subscription
{
    private readonly Relay _relay;
    private readonly Client.ControlledFragmentAssembler _assembler;
    private readonly List<Image> _images = [];
    private Client.Subscription? _subscription;

    internal Subscription(string channel)
    {
        Channel = channel;
        _relay = new Relay(this);
        _assembler = new Client.ControlledFragmentAssembler(_relay);
    }

    public string Channel { get; }

    public int StreamId => Opened.StreamId;

    /// <summary>Called from the agent's duty cycle when a sender appears.</summary>
    public Action<Image>? ImageAvailable { get; set; }

    /// <summary>Called from the agent's duty cycle when a sender is gone.</summary>
    public Action<Image>? ImageUnavailable { get; set; }

    public int ImageCount => _images.Count;

    public IReadOnlyList<Image> Images => _images;

    public bool IsConnected => Opened.IsConnected;

    public bool IsClosed => Opened.IsClosed;

    private Client.Subscription Opened => _subscription ?? throw new InvalidOperationException("the driver has not answered yet");

    /// <summary>Delivers at most this many fragments' worth of messages; returns how many messages were taken.</summary>
    public int Poll<THandler>(ref THandler handler, int messageLimit)
        where THandler : IMessageHandler, allows ref struct
    {
        // The handler stays where it is for the length of the poll; the relay calls it through a pointer because a class cannot hold the reference.
        fixed (byte* pinned = &Unsafe.As<THandler, byte>(ref handler))
        {
            _relay.Begin(pinned, &Call<THandler>);
            Opened.ControlledPoll(_assembler, messageLimit);
            return _relay.End();
        }
    }

    public void Close() => Opened.Dispose();

    internal Subscription Open(Client.Aeron client, string channel, int streamId)
    {
        _subscription = client.AddSubscription(channel, streamId, OnAvailable, OnUnavailable);
        return this;
    }

    private static PollAction Call<THandler>(void* handler, ReadOnlySpan<byte> message, in MessageContext context)
        where THandler : IMessageHandler, allows ref struct =>
        Unsafe.AsRef<THandler>(handler).OnMessage(message, context);

    private void OnAvailable(Client.Image source)
    {
        var image = new Image(this, source);
        _images.Add(image);
        ImageAvailable?.Invoke(image);
    }

    private void OnUnavailable(Client.Image source)
    {
        if (ImageOf(source.SessionId) is not { } image)
            return;
        _images.Remove(image);
        _assembler.FreeSessionBuffer(source.SessionId);
        image.End();
        ImageUnavailable?.Invoke(image);
    }

    private Image? ImageOf(int sessionId)
    {
        foreach (Image image in _images)
        {
            if (image.SessionId == sessionId)
                return image;
        }

        return null;
    }

    /// <summary>What the client library calls. It would swallow a handler's exception: the poll throws it again.</summary>
    private sealed class Relay(Subscription subscription) : IControlledFragmentHandler
    {
        private void* _handler;
        private delegate*<void*, ReadOnlySpan<byte>, in MessageContext, PollAction> _call;
        private ExceptionDispatchInfo? _thrown;
        private int _taken;

        public void Begin(void* handler, delegate*<void*, ReadOnlySpan<byte>, in MessageContext, PollAction> call)
        {
            _handler = handler;
            _call = call;
            _taken = 0;
        }

        public int End()
        {
            ExceptionDispatchInfo? thrown = _thrown;
            _thrown = null;
            _handler = null;
            thrown?.Throw();
            return _taken;
        }

        public ControlledFragmentHandlerAction OnFragment(IDirectBuffer buffer, int offset, int length, Header header)
        {
            if (subscription.ImageOf(header.SessionId) is not { } image)
                return ControlledFragmentHandlerAction.ABORT; // its arrival was not told yet
            try
            {
                var message = new ReadOnlySpan<byte>((void*)(buffer.BufferPointer + offset), length);
                var context = new MessageContext(image, header.Position, header.ReservedValue, header.Flags);
                return ActionOf(_call(_handler, message, context));
            }
            catch (Exception thrown)
            {
                _thrown = ExceptionDispatchInfo.Capture(thrown);
                return ControlledFragmentHandlerAction.ABORT;
            }
        }

        private ControlledFragmentHandlerAction ActionOf(PollAction action)
        {
            if (action != PollAction.Abort)
                _taken++;
            return action switch
            {
                PollAction.Continue => ControlledFragmentHandlerAction.CONTINUE,
                PollAction.Commit => ControlledFragmentHandlerAction.COMMIT,
                PollAction.Break => ControlledFragmentHandlerAction.BREAK,
                _ => ControlledFragmentHandlerAction.ABORT,
            };
        }
    }
}
