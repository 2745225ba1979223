// Checks of invariants that stay on in release: a failure is a broken program and stops the node.
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace MarginEngine.Pipeline;

internal static class Check
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void That(
        [DoesNotReturnIf(false)] bool condition, [CallerArgumentExpression(nameof(condition))] string text = "")
    {
        if (!condition)
            Fail(text);
    }

    [DoesNotReturn]
    private static void Fail(string text) => throw new InvalidOperationException($"broken invariant: {text}");
}
