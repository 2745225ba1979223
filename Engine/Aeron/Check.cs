// Checks of invariants that stay on in release; a failure is a broken program, never bad input from the network.

using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace MarginEngine.Aeron;

internal static class Check
{
    public static void That(
        [DoesNotReturnIf(false)] bool condition, [CallerArgumentExpression(nameof(condition))] string text = "")
    {
        if (!condition)
            Fail(text);
    }

    [DoesNotReturn]
    private static void Fail(string text) => throw new InvalidOperationException($"broken invariant: {text}");
}
