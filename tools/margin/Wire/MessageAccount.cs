// Which account a message is about; for filters of inspect and replay.
using MarginEngine.Codecs;

namespace MarginEngine.Tool.Wire;

internal static class MessageAccount
{
    /// <summary>Null: the message is about no account, or cannot be decoded.</summary>
    public static ulong? Of(ReadOnlySpan<byte> message)
    {
        if (!Schema.TryTemplateOf(message, out ushort template)) return null;
        return template switch
        {
            MarginUpdateDecoder.TemplateId when MarginUpdateDecoder.TryWrap(message, out MarginUpdateDecoder update) => update.AccountId,
            MarginCallDecoder.TemplateId when MarginCallDecoder.TryWrap(message, out MarginCallDecoder call) => call.AccountId,
            LiquidationInstructionDecoder.TemplateId when LiquidationInstructionDecoder.TryWrap(message, out LiquidationInstructionDecoder close) => close.AccountId,
            LiquidationPricesDecoder.TemplateId when LiquidationPricesDecoder.TryWrap(message, out LiquidationPricesDecoder prices) => prices.AccountId,
            PreTradeAnswerDecoder.TemplateId when PreTradeAnswerDecoder.TryWrap(message, out PreTradeAnswerDecoder answer) => answer.AccountId,
            FundEventDecoder.TemplateId when FundEventDecoder.TryWrap(message, out FundEventDecoder fund) => fund.AccountId,
            DeleveragingDecoder.TemplateId when DeleveragingDecoder.TryWrap(message, out DeleveragingDecoder shared) => shared.AccountId,
            AccountSettledDecoder.TemplateId when AccountSettledDecoder.TryWrap(message, out AccountSettledDecoder settled) => settled.AccountId,
            AccountOpenDecoder.TemplateId when AccountOpenDecoder.TryWrap(message, out AccountOpenDecoder open) => open.AccountId,
            AccountConfigureDecoder.TemplateId when AccountConfigureDecoder.TryWrap(message, out AccountConfigureDecoder configure) => configure.AccountId,
            CollateralTransferDecoder.TemplateId when CollateralTransferDecoder.TryWrap(message, out CollateralTransferDecoder transfer) => transfer.AccountId,
            FillDecoder.TemplateId when FillDecoder.TryWrap(message, out FillDecoder fill) => fill.AccountId,
            OrderOpenDecoder.TemplateId when OrderOpenDecoder.TryWrap(message, out OrderOpenDecoder order) => order.AccountId,
            OrderCancelDecoder.TemplateId when OrderCancelDecoder.TryWrap(message, out OrderCancelDecoder cancel) => cancel.AccountId,
            LiquidationFillDecoder.TemplateId when LiquidationFillDecoder.TryWrap(message, out LiquidationFillDecoder closing) => closing.AccountId,
            OwnerTransferDecoder.TemplateId when OwnerTransferDecoder.TryWrap(message, out OwnerTransferDecoder moved) => moved.AccountId,
            PreTradeCheckDecoder.TemplateId when PreTradeCheckDecoder.TryWrap(message, out PreTradeCheckDecoder check) => check.AccountId,
            _ => null,
        };
    }
}
