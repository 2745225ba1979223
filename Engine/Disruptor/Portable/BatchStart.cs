// Whether a handler wants to hear of batches. A struct that leaves OnBatchStart to the interface would be boxed by the call.

using System.Reflection;

namespace Disruptor;

internal static class BatchStart
{
    /// <summary>True when <paramref name="handlerType"/> has an OnBatchStart of its own.</summary>
    internal static bool IsImplementedBy<T>(Type handlerType)
        where T : struct
    {
        if (handlerType.IsInterface)
            return true;
        InterfaceMapping map = handlerType.GetInterfaceMap(typeof(IValueEventHandler<T>));
        int index = Array.FindIndex(map.InterfaceMethods, method => method.Name == nameof(IValueEventHandler<T>.OnBatchStart));
        return map.TargetMethods[index].DeclaringType is { IsInterface: false };
    }
}

/// <summary>The same, looked up once for a pair of types and a constant for the compiled loop.</summary>
internal static class BatchStart<T, THandler>
    where T : struct
    where THandler : IValueEventHandler<T>
{
    internal static readonly bool IsImplemented = BatchStart.IsImplementedBy<T>(typeof(THandler));
}
