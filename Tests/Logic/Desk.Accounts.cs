using MarginEngine.Codecs;

namespace MarginEngine.Tests.LogicTests;

/// <content>Messages about accounts that the day to day does not need.</content>
internal sealed partial class Desk
{
    public void Configure(ulong account, ushort model)
    {
        AccountConfigureEncoder message = AccountConfigureEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, OriginFlags.EndOfEvent);
        message.AccountId = account;
        message.ModelId = model;
        Apply(_buffer.AsSpan(0, message.EncodedLength));
    }
}
