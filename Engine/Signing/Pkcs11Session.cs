// A token of a PKCS#11 device, logged in.
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Net.Pkcs11Interop.Common;
using Net.Pkcs11Interop.HighLevelAPI;

namespace MarginEngine.Signing;

/// <summary>Finds keys and signs. Closed with the last key that was found through it.</summary>
internal sealed class Pkcs11Session
{
    // DER: the name of P-256, and what stands before the two coordinates of a point that is not compressed.
    private static readonly byte[] Curve = [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
    private static readonly byte[] PointStart = [0x04, 0x41, 0x04];
    private const int CoordinateBytes = 32;

    // A module is initialised once in a process and stays: to end it would end it for every session there is.
    private static readonly Dictionary<string, IPkcs11Library> Modules = [];
    // A device locks itself after a few wrong PINs, and a signer tries again and again.
    private static readonly HashSet<string> RefusedPins = [];
    private static readonly Pkcs11InteropFactories Factories = new();

    private readonly ISession _session;
    private int _keys;

    // The wrapper asks for libdl by the name that only development packages install.
    static Pkcs11Session() => NativeLibrary.SetDllImportResolver(
        typeof(Pkcs11InteropFactories).Assembly, (name, assembly, path) => name == "libdl" ? NativeLibrary.Load("libdl.so.2", assembly, path) : nint.Zero);

    private Pkcs11Session(ISession session) => _session = session;

    /// <summary>The keys at an address, in the order of their ids; at least one.</summary>
    /// <exception cref="SigningKeyException">There is none, or the device cannot be used; the message says why.</exception>
    public static IReadOnlyList<SigningKey> ReadKeys(Pkcs11Uri address)
    {
        try
        {
            Pkcs11Session session = Open(address);
            session.Keep();
            try
            {
                List<SigningKey> keys = [.. session.Find(address)];
                return keys.Count > 0 ? keys : throw new SigningKeyException("the device holds no key of P-256, with its public half, of this address");
            }
            finally
            {
                session.Release();
            }
        }
        catch (Exception failure) when (failure is Pkcs11Exception or UnmanagedException or LibraryArchitectureException or AttributeValueException)
        {
            throw new SigningKeyException($"the device behind {address.Module}: {failure.Message}");
        }
    }

    public Pkcs11Session Keep()
    {
        Interlocked.Increment(ref _keys);
        return this;
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref _keys) != 0)
            return;
        try
        {
            _session.CloseSession();
        }
        catch (Pkcs11Exception)
        {
            // The device has gone, and the session with it.
        }
    }

    /// <returns>Two numbers of 32 bytes.</returns>
    /// <exception cref="CryptographicException">The device cannot.</exception>
    public byte[] Sign(ulong key, byte[] hash)
    {
        try
        {
            lock (_session)
            {
                using IMechanism mechanism = Factories.MechanismFactory.Create(CKM.CKM_ECDSA);
                return _session.Sign(mechanism, Factories.ObjectHandleFactory.Create(key), hash);
            }
        }
        catch (Exception failure) when (failure is Pkcs11Exception or UnmanagedException)
        {
            throw new CryptographicException($"the device does not sign: {failure.Message}");
        }
    }

    private static Pkcs11Session Open(Pkcs11Uri address)
    {
        List<ISlot> slots = [.. Module(address.Module).GetSlotList(SlotsType.WithTokenPresent).Where(slot => IsWanted(slot.GetTokenInfo(), address))];
        if (slots.Count != 1)
            throw new SigningKeyException($"the device behind {address.Module} has {slots.Count} tokens of this address, not one");
        byte[] pin = ReadPin(address.PinFile);
        ISession session = slots[0].OpenSession(SessionType.ReadOnly);
        try
        {
            Login(session, pin, $"{address.Module} {slots[0].GetTokenInfo().SerialNumber}");
        }
        catch
        {
            session.CloseSession();
            throw;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pin);
        }

        return new Pkcs11Session(session);
    }

    private static bool IsWanted(ITokenInfo token, Pkcs11Uri address) =>
        token.TokenFlags.TokenInitialized && (address.Token is null || token.Label.TrimEnd() == address.Token)
        && (address.Serial is null || token.SerialNumber.TrimEnd() == address.Serial);

    private static IPkcs11Library Module(string path)
    {
        lock (Modules)
        {
            if (!Modules.TryGetValue(path, out IPkcs11Library? module))
            {
                // The loader's own message names only the number of the failure.
                if (!File.Exists(path))
                    throw new SigningKeyException($"there is no library {path} of a PKCS#11 device");
                module = Factories.Pkcs11LibraryFactory.LoadPkcs11Library(Factories, path, AppType.MultiThreaded);
                Modules.Add(path, module);
            }

            return module;
        }
    }

    private static byte[] ReadPin(string path)
    {
        SigningKeys.CheckOwnerOnly(path);
        try
        {
            return [.. File.ReadAllBytes(path).TakeWhile(letter => letter is not ((byte)'\n' or (byte)'\r'))];
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SigningKeyException($"cannot read the PIN in {path}: {failure.Message}");
        }
    }

    private static void Login(ISession session, byte[] pin, string token)
    {
        lock (RefusedPins)
            if (RefusedPins.Contains(token))
                throw new SigningKeyException("the device has refused its PIN: it is not tried again before the next start, or the device would lock itself");
        try
        {
            session.Login(CKU.CKU_USER, pin);
        }
        catch (Pkcs11Exception failure) when (failure.RV == CKR.CKR_USER_ALREADY_LOGGED_IN)
        {
            // By another session of this process: one login counts for all.
        }
        catch (Pkcs11Exception failure) when (failure.RV is CKR.CKR_PIN_INCORRECT or CKR.CKR_PIN_INVALID or CKR.CKR_PIN_LEN_RANGE or CKR.CKR_PIN_LOCKED)
        {
            lock (RefusedPins)
                RefusedPins.Add(token);
            throw new SigningKeyException($"the device refuses the PIN ({failure.RV})");
        }
    }

    private IEnumerable<SigningKey> Find(Pkcs11Uri address)
    {
        List<IObjectAttribute> wanted = [Attribute(CKA.CKA_CLASS, CKO.CKO_PRIVATE_KEY), Factories.ObjectAttributeFactory.Create(CKA.CKA_KEY_TYPE, CKK.CKK_EC)];
        if (address.Label is not null)
            wanted.Add(Factories.ObjectAttributeFactory.Create(CKA.CKA_LABEL, address.Label));
        if (address.Id is not null)
            wanted.Add(Factories.ObjectAttributeFactory.Create(CKA.CKA_ID, address.Id));
        return from found in _session.FindAllObjects(wanted)
               let id = Value(found, CKA.CKA_ID)
               let point = PublicPoint(id)
               where point is not null
               orderby Convert.ToHexString(id)
               select SigningKey.Of(new Pkcs11Key(this, found.ObjectId, point.Value));
    }

    // Null: the public half is missing, or of another curve.
    private ECPoint? PublicPoint(byte[] id)
    {
        List<IObjectHandle> halves = _session.FindAllObjects(
            [Attribute(CKA.CKA_CLASS, CKO.CKO_PUBLIC_KEY), Factories.ObjectAttributeFactory.Create(CKA.CKA_KEY_TYPE, CKK.CKK_EC), Factories.ObjectAttributeFactory.Create(CKA.CKA_ID, id)]);
        if (halves.Count != 1 || !Value(halves[0], CKA.CKA_EC_PARAMS).AsSpan().SequenceEqual(Curve))
            return null;
        byte[] point = Value(halves[0], CKA.CKA_EC_POINT);
        int start = PointStart.Length;
        return point.Length == start + 2 * CoordinateBytes && point.AsSpan(0, start).SequenceEqual(PointStart)
            ? new ECPoint { X = point[start..(start + CoordinateBytes)], Y = point[(start + CoordinateBytes)..] }
            : null;
    }

    private byte[] Value(IObjectHandle handle, CKA attribute) => _session.GetAttributeValue(handle, [attribute])[0].GetValueAsByteArray() ?? [];

    private static IObjectAttribute Attribute(CKA name, CKO kind) => Factories.ObjectAttributeFactory.Create(name, kind);
}
