// The primary that takes a standby's place in these tests, and what its subscribers must have heard.
using MarginEngine.Codecs;
using MarginEngine.Pipeline;
using MarginEngine.Tests.PipelineTests;
using NUnit.Framework;

namespace MarginEngine.Tests.PromotionTests;

internal static class Successor
{
    /// <summary>The standby as a primary of the next epoch, on an input and an output of its own: the old primary's ports may not be free.</summary>
    public static NodeOptions Of(NodeOptions standby, uint epoch = 2) => standby with
    {
        Role = NodeRole.Primary,
        Epoch = epoch,
        Input = new StreamOptions { Channel = Ports.Channel(), Stream = 10 },
        Output = new OutputOptions { Channel = Ports.Channel() },
    };

    /// <summary>Every decision of a history was heard, margin updates only the newest of each account; and nothing that was not decided.</summary>
    public static void AssertNothingMissing(Reference reference, IEnumerable<byte[]> margins, IEnumerable<byte[]> replies)
    {
        HashSet<string> heard = [.. margins.Concat(replies).Select(Reference.Key)];
        HashSet<string> decided = [.. reference.Decisions.Select(Reference.Key)];
        IEnumerable<byte[]> owed = reference.Decisions.Where(message => Reference.Template(message) != MarginUpdateDecoder.TemplateId);
        Assert.That(owed.Where(message => !heard.Contains(Reference.Key(message))).Select(Convert.ToHexString), Is.Empty, "decided, but never heard");
        Assert.That(
            reference.NewestUpdates().Where(update => !heard.Contains(Reference.Key(update.Value))).Select(update => update.Key), Is.Empty,
            "accounts whose newest margin was never heard");
        IEnumerable<byte[]> rejects = replies.Where(message => Reference.Template(message) == RejectDecoder.TemplateId);
        HashSet<string> gateway = [.. rejects.Select(Reference.Key)];
        Assert.That(heard.Where(key => !decided.Contains(key) && !gateway.Contains(key)), Is.Empty, "heard, but not in the journal");
    }
}
