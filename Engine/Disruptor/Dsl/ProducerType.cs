// Which sequencer a ring gets. Only one producer is supported: several cost three to four times as much per event.

namespace Disruptor.Dsl;

public enum ProducerType
{
    Single,
    Multi,
}

public static class SequencerFactory
{
    /// <exception cref="NotSupportedException"><paramref name="producerType"/> is <see cref="ProducerType.Multi"/>.</exception>
    public static ISequencer Create(ProducerType producerType, int bufferSize, IWaitStrategy waitStrategy) =>
        producerType == ProducerType.Single
            ? new SingleProducerSequencer(bufferSize, waitStrategy)
            : throw new NotSupportedException($"ProducerType.{producerType}: this ring has one producer thread, use ProducerType.Single");
}
