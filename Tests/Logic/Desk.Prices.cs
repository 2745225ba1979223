using MarginEngine.Codecs;
using MarginEngine.Logic;

namespace MarginEngine.Tests.LogicTests;

/// <content>
/// Prices, volatilities and rates. Digits beyond the eighth go where a message has a field for them and are cut where it has none; a confidence that is not
/// given is not sent.
/// </content>
internal sealed partial class Desk
{
    public void Index(decimal price, ushort underlying = 1, OriginFlags flags = OriginFlags.EndOfEvent, decimal? confidence = null)
    {
        IndexPriceEncoder message = IndexPriceEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, flags);
        message.UnderlyingId = underlying;
        message.SetPrice(E8(price));
        message.SetPriceFurther(Further(price));
        message.SetConfidence(Confidence(confidence));
        message.SetConfidenceFurther(Further(confidence ?? 1m));
        Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    /// <param name="fixedPart">What of the price is settled already; 0 is not sent.</param>
    public void Forward(
        decimal price, ulong? expiry = null, ushort underlying = 1, OriginFlags flags = OriginFlags.EndOfEvent, decimal fixedPart = 0m, decimal? confidence = null)
    {
        ForwardPriceEncoder message = ForwardPriceEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, flags);
        message.UnderlyingId = underlying;
        message.Expiry = expiry ?? Expiry;
        message.SetPrice(E8(price));
        message.SetConfidence(Confidence(confidence));
        message.SetFixedPart(fixedPart == 0m ? null : E8(fixedPart));
        Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public void ExpiryRate(decimal rate, ulong expiry, ushort underlying = 1, OriginFlags flags = OriginFlags.EndOfEvent, decimal? confidence = null)
    {
        ExpiryRateEncoder message = ExpiryRateEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, flags);
        message.UnderlyingId = underlying;
        message.Expiry = expiry;
        message.SetRate(E8(rate));
        message.SetConfidence(Confidence(confidence));
        Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public void Mark(uint instrument, decimal price, OriginFlags flags = OriginFlags.EndOfEvent, decimal? confidence = null)
    {
        MarkPriceEncoder message = MarkPriceEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, flags);
        message.InstrumentId = instrument;
        message.SetPrice(E8(price));
        message.SetConfidence(Confidence(confidence));
        Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public void Volatility(uint instrument, decimal volatility, OriginFlags flags = OriginFlags.EndOfEvent, decimal? confidence = null)
    {
        MarkVolatilityEncoder message = MarkVolatilityEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, flags);
        message.InstrumentId = instrument;
        message.SetVolatility(E8(volatility));
        message.SetVolatilityFurther(Further(volatility));
        message.SetConfidence(Confidence(confidence));
        Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    private static int? Confidence(decimal? confidence) => confidence is decimal given ? (int)E8(given) : null;

    // The ninth to sixteenth decimal of a positive number, null where there are none.
    private static uint? Further(decimal value)
    {
        decimal rest = (value * 100_000_000m) - decimal.Truncate(value * 100_000_000m);
        return rest == 0m ? null : (uint)(rest * 100_000_000m);
    }
}
