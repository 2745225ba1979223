// The journal is signed behind its writer, on a thread of its own that nobody waits for.
using MarginEngine.Journal;
using MarginEngine.Signing;

namespace MarginEngine.Pipeline;

/// <content>Signing, where a key is configured.</content>
public sealed partial class Node
{
    private const int SigningMillis = 50;
    private readonly Signer? _signer;
    private string? _signingProblem;

    /// <summary>Why the journal is not signed at the moment; null: it is, or need not be. The node goes on all the same.</summary>
    public string? SigningProblem => Volatile.Read(ref _signingProblem);

    private Signer? OpenSigner(IStorage storage, RecoveryReport recovered)
    {
        if (_options.Signing is null)
            return null;
        try
        {
            Signer signer = Own(new Signer(storage, _options.Journal.Directory, _options.Signing, recovered.LastSequence));
            Gauges.Signed.Set(signer.SignedUpTo);
            return signer;
        }
        catch (SigningKeyException failure)
        {
            throw new NodeOptionsException($"signing: {failure.Message}");
        }
    }

    private void Sign()
    {
        try
        {
            while (!_ended.Wait(SigningMillis))
            {
                while (_signer!.Poll(Gauges.Journalled.Value, _clock.MonotonicNanos) && !_ended.IsSet)
                {
                }

                TellSigning();
            }

            if (Fault is null)
                _signer!.Close(Gauges.Journalled.Value, _clock.MonotonicNanos);
            TellSigning();
        }
        catch (Exception error)
        {
            // A disk that takes no more signatures is no reason to stop an exchange: the journal is whole, and can be signed later.
            Volatile.Write(ref _signingProblem, $"{error.GetType().Name}: {error.Message}");
        }
    }

    private void TellSigning()
    {
        Gauges.Signed.Set(_signer!.SignedUpTo);
        Volatile.Write(ref _signingProblem, _signer.Problem);
    }
}
