// A key that never leaves its device: it signs there, and is checked here by its public half.
using System.Security.Cryptography;

namespace MarginEngine.Signing;

/// <summary>ECDSA over P-256 whose private half is in a PKCS#11 device. Failures of the device are <see cref="CryptographicException"/>.</summary>
internal sealed class Pkcs11Key : ECDsa
{
    private readonly Pkcs11Session _session;
    private readonly ECDsa _public;
    private readonly ulong _handle;
    private bool _disposed;

    /// <param name="session">Stays open for as long as the key.</param>
    /// <param name="handle">Of the private key, in the session.</param>
    /// <param name="point">The public key.</param>
    public Pkcs11Key(Pkcs11Session session, ulong handle, ECPoint point)
    {
        _public = Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = point });
        KeySizeValue = _public.KeySize;
        _session = session.Keep();
        _handle = handle;
    }

    public override byte[] SignHash(byte[] hash)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _session.Sign(_handle, hash);
    }

    public override bool VerifyHash(byte[] hash, byte[] signature) => _public.VerifyHash(hash, signature);

    public override ECParameters ExportParameters(bool includePrivateParameters) =>
        includePrivateParameters ? throw new CryptographicException("the private key does not leave its device") : _public.ExportParameters(includePrivateParameters: false);

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            _public.Dispose();
            _session.Release();
        }

        base.Dispose(disposing);
    }
}
