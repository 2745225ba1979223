// Some consumers of a graph, to hang others behind.

using Disruptor.Processing;

namespace Disruptor.Dsl;

public sealed class ValueEventHandlerGroup<T>
    where T : unmanaged
{
    private readonly ValueTypeDisruptor<T> _disruptor;
    private readonly Sequence[] _sequences;

    internal ValueEventHandlerGroup(ValueTypeDisruptor<T> disruptor, Sequence[] sequences)
    {
        _disruptor = disruptor;
        _sequences = sequences;
    }

    /// <summary>The consumers of both groups.</summary>
    public ValueEventHandlerGroup<T> And(ValueEventHandlerGroup<T> otherHandlerGroup) =>
        new(_disruptor, [.. _sequences, .. otherHandlerGroup._sequences]);

    /// <summary>This group and processors that run by themselves.</summary>
    public ValueEventHandlerGroup<T> And(params IEventProcessor[] processors) =>
        new(_disruptor, [.. _sequences, .. Array.ConvertAll(processors, processor => processor.Sequence)]);

    /// <summary>Adds handlers side by side that see an event when this whole group has finished with it.</summary>
    public ValueEventHandlerGroup<T> Then(params IValueEventHandler<T>[] handlers) => _disruptor.AddHandlers(_sequences, handlers);

    /// <inheritdoc cref="Then(IValueEventHandler{T}[])"/>
    public ValueEventHandlerGroup<T> Then(params ValueEventProcessorCreator<T>[] eventProcessorFactories) =>
        _disruptor.AddProcessors(_sequences, eventProcessorFactories);

    /// <inheritdoc cref="Then(IValueEventHandler{T}[])"/>
    public ValueEventHandlerGroup<T> HandleEventsWith(params IValueEventHandler<T>[] handlers) => Then(handlers);

    /// <inheritdoc cref="Then(IValueEventHandler{T}[])"/>
    public ValueEventHandlerGroup<T> HandleEventsWith(params ValueEventProcessorCreator<T>[] eventProcessorFactories) =>
        Then(eventProcessorFactories);

    /// <summary>A barrier behind this group, for a consumer of one's own.</summary>
    public SequenceBarrier AsSequenceBarrier() => _disruptor.Ring.NewBarrier(SequenceWaiterOwner.Unknown, _sequences);
}
