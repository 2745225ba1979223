// The codec bench with little work: both sides of every line must have read or written the same.

using MarginEngine.Bench;
using NUnit.Framework;

namespace MarginEngine.Tests.CodecTests;

internal sealed class BenchTests
{
    [Test]
    public void Overlay_and_codec_do_the_same_work()
    {
        var output = new StringWriter();
        IReadOnlyList<CodecBench.Line> lines = CodecBench.Run(rounds: 2, passes: 2, output);
        foreach (CodecBench.Line line in lines)
        {
            Assert.That(line.OverlayResult, Is.Not.EqualTo(-1), line.Work);
            Assert.That(line.CodecResult, Is.EqualTo(line.OverlayResult), line.Work);
        }

        Assert.That(output.ToString(), Does.Contain("ratio"));
    }
}
