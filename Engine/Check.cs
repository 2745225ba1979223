using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace MarginEngine;

/// <summary>Invariants that stay on in release. A failure is a defect of the engine, never of its input, and stops the node.</summary>
internal static class Check
{
    /// <exception cref="InvariantException">The condition does not hold.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void That(
        [DoesNotReturnIf(false)] bool condition,
        [CallerArgumentExpression(nameof(condition))] string? expression = null,
        [CallerFilePath] string? file = null,
        [CallerLineNumber] int line = 0)
    {
        if (!condition)
        {
            Fail(expression, file, line);
        }
    }

    [DoesNotReturn]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Fail(string? expression, string? file, int line) =>
        throw new InvariantException($"{expression} does not hold ({Path.GetFileName(file)}:{line})");
}

/// <summary>The engine contradicts itself; nothing it says after this can be trusted.</summary>
public sealed class InvariantException(string message) : Exception(message);
