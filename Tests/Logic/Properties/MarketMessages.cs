using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Agreement;

namespace MarginEngine.Tests.LogicTests.Properties;

/// <summary>Market messages with their confidences, none of which ends its event.</summary>
internal static class MarketMessages
{
    [ThreadStatic]
    private static byte[]? _buffer;

    private static byte[] Buffer => _buffer ??= new byte[Limits.MessageBytes];

    public static void Rate(Desk desk, ushort currency, decimal rate)
    {
        InterestRateEncoder message = InterestRateEncoder.Wrap(Buffer);
        message.SetOrigin(desk.NextOrigin(), (ulong)desk.Now, desk.Source, OriginFlags.None);
        message.CurrencyId = currency;
        message.SetRate(Desk.E8(rate));
        desk.Apply(Buffer.AsSpan(0, message.EncodedLength));
    }

    public static void Index(Desk desk, ushort underlying, decimal price, decimal confidence)
    {
        IndexPriceEncoder message = IndexPriceEncoder.Wrap(Buffer);
        message.SetOrigin(desk.NextOrigin(), (ulong)desk.Now, desk.Source, OriginFlags.None);
        message.UnderlyingId = underlying;
        message.SetPrice(Desk.E8(price));
        message.SetConfidence((int)Desk.E8(confidence));
        desk.Apply(Buffer.AsSpan(0, message.EncodedLength));
    }

    public static void Forward(Desk desk, BookExpiry expiry)
    {
        ForwardPriceEncoder message = ForwardPriceEncoder.Wrap(Buffer);
        message.SetOrigin(desk.NextOrigin(), (ulong)desk.Now, desk.Source, OriginFlags.None);
        message.UnderlyingId = expiry.UnderlyingId;
        message.Expiry = expiry.Time;
        message.SetPrice(Desk.E8(expiry.Forward));
        message.SetConfidence((int)Desk.E8(expiry.Confidence));
        desk.Apply(Buffer.AsSpan(0, message.EncodedLength));
    }

    public static void Price(Desk desk, uint id, BookInstrument contract, bool hasOptionMarks)
    {
        if (contract.IsOption)
        {
            desk.Volatility(id, contract.Volatility, OriginFlags.None);
        }

        if (contract.IsOption && (!hasOptionMarks || contract.IsInverse))
        {
            return;
        }

        MarkPriceEncoder message = MarkPriceEncoder.Wrap(Buffer);
        message.SetOrigin(desk.NextOrigin(), (ulong)desk.Now, desk.Source, OriginFlags.None);
        message.InstrumentId = id;
        message.SetPrice(Desk.E8(contract.Mark));
        message.SetConfidence((int)Desk.E8(contract.Confidence));
        desk.Apply(Buffer.AsSpan(0, message.EncodedLength));
    }
}
