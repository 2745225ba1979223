// Channel URIs: what is taken, what it means, and that every mistake names its parameter.

using MarginEngine.Aeron;
using MarginEngine.Tool.Simulate;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

[TestFixture]
public sealed class ChannelTests
{
    private static readonly AeronOptions Options = new(new SimulatedTime());

    [TestCase("", "prefix")]
    [TestCase("udp?endpoint=127.0.0.1:1", "prefix")]
    [TestCase("aeron:ipc", "media")]
    [TestCase("aeron:tcp?endpoint=127.0.0.1:1", "media")]
    [TestCase("aeron:udp", "endpoint")]
    [TestCase("aeron:udp?", "parameters")]
    [TestCase("aeron:udp?endpoint", "endpoint")]
    [TestCase("aeron:udp?endpoint=127.0.0.1", "endpoint")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:x", "endpoint")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:-1", "endpoint")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:65536", "endpoint")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:0", "endpoint")]
    [TestCase("aeron:udp?endpoint=no.such.host.invalid:1", "endpoint")]
    [TestCase("aeron:udp?endpoint=[::1]:1", "endpoint")]
    [TestCase("aeron:udp?endpoint=224.20.30.40:1", "endpoint")]
    [TestCase("aeron:udp?endpoint=224.20.30.41:0", "endpoint")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|endpoint=127.0.0.1:2", "endpoint")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|interface=nowhere.invalid", "interface")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|interface=127.0.0.1/33", "interface")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|interface=203.0.113.0/24", "interface")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|mtu=1400", "mtu")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|mtu=32", "mtu")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|mtu=65536", "mtu")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|mtu=1k5", "mtu")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|mtu=", "mtu")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|so-sndbuf=1k", "so-sndbuf")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|term-length=100000", "term-length")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|term-length=32k", "term-length")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|term-length=2g", "term-length")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|term-length=99999999999", "term-length")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|session-id=x", "session-id")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|session-id=4294967296", "session-id")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|ttl=256", "ttl")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|ttl=-1", "ttl")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|linger=5 minutes", "linger")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|linger=99999999999999999999s", "linger")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|eos=yes", "eos")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|fc=fastest", "fc")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|fc=max,t:1s", "fc")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|fc=min,g:7", "fc")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|fc=min,g:/x", "fc")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|fc=min,t:0s", "fc")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|fc=min,t:soon", "fc")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|fc=min,rrwm:0", "fc")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|fc=tagged", "fc")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|fc=tagged,g:/3", "fc")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|fc=tagged,g:one", "fc")]
    [TestCase("aeron:udp?endpoint=224.20.30.41:1|max-resend=0", "max-resend")]
    [TestCase("aeron:udp?endpoint=224.20.30.41:1|max-resend=257", "max-resend")]
    [TestCase("aeron:udp?control-mode=dynamic", "control")]
    [TestCase("aeron:udp?control-mode=dynamic|control=127.0.0.1:0", "control")]
    [TestCase("aeron:udp?control-mode=sideways|control=127.0.0.1:5", "control-mode")]
    [TestCase("aeron:udp?control-mode=response|control=127.0.0.1:5", "control-mode")]
    [TestCase("aeron:udp?endpoint=224.20.30.41:1|control=127.0.0.1:5", "control")]
    [TestCase("aeron:udp?endpoint=224.20.30.41:1|control=127.0.0.1:5|control-mode=dynamic", "control-mode")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|control=224.20.30.41:5", "control")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|tags=x", "tags")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|tags=1,2,3", "tags")]
    [TestCase("aeron:udp?tags=4", "tags")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|session-id=tag:4", "session-id")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|ssc=true", "ssc")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|init-term-id=5", "term-id")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|init-term-id=5|term-id=4|term-offset=0", "term-id")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|init-term-id=5|term-id=5|term-offset=8", "term-offset")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|init-term-id=5|term-id=5|term-offset=16777216", "term-offset")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|control=127.0.0.1", "control")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|ednpoint=127.0.0.1:2", "ednpoint")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|MTU=1408", "MTU")]
    public void A_wrong_publication_channel_names_the_parameter(string channel, string parameter) => Assert.That(
        () => Channel.ForPublication(channel, Options),
        Throws.TypeOf<ChannelException>().With.Property(nameof(ChannelException.Parameter)).EqualTo(parameter)
            .And.Message.Contains(parameter));

    [TestCase("aeron:udp?endpoint=127.0.0.1:1|rcv-wnd=4m", "rcv-wnd")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|rcv-wnd=0", "rcv-wnd")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|so-rcvbuf=64k|rcv-wnd=65k", "rcv-wnd")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|reliable=maybe", "reliable")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|nak-delay=fast", "nak-delay")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|rejoin=perhaps", "rejoin")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|cc=cubic", "cc")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|gtag=seven", "gtag")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|tether=false", "tether")]
    [TestCase("aeron:udp?endpoint=127.0.0.1:1|control-mode=manual", "control-mode")]
    [TestCase("aeron:udp?control-mode=dynamic|control=127.0.0.1:5", "endpoint")]
    public void A_wrong_subscription_channel_names_the_parameter(string channel, string parameter) => Assert.That(
        () => Channel.ForSubscription(channel, Options),
        Throws.TypeOf<ChannelException>().With.Property(nameof(ChannelException.Parameter)).EqualTo(parameter));

    [Test]
    public void A_channel_longer_than_Aeron_allows_is_refused() => Assert.That(
        () => Channel.ForPublication("aeron:udp?endpoint=127.0.0.1:1|alias=" + new string('a', 4096), Options),
        Throws.TypeOf<ChannelException>());

    [Test]
    public void Every_parameter_of_a_publication_is_read()
    {
        Channel channel = Channel.ForPublication(
            "aeron:udp?endpoint=224.20.30.41:40456|interface=localhost|ttl=4|mtu=8k|term-length=64m|session-id=-12|init-term-id=-7"
            + "|term-id=9|term-offset=64|linger=250ms|so-sndbuf=2m|so-rcvbuf=1m|fc=max|alias=margin|eos=false|pub-wnd=1m",
            Options);
        Assert.Multiple(() =>
        {
            Assert.That(channel.Data.ToString(), Is.EqualTo("224.20.30.41:40456"));
            Assert.That(channel.Control.ToString(), Is.EqualTo("224.20.30.42:40456"));
            Assert.That(channel.IsMulticast);
            Assert.That(channel.Interface, Is.EqualTo(Ipv4Endpoint.Loopback));
            Assert.That(channel.TimeToLive, Is.EqualTo(4));
            Assert.That(channel.Mtu, Is.EqualTo(8192));
            Assert.That(channel.TermLength, Is.EqualTo(64 << 20));
            Assert.That(channel.SessionId, Is.EqualTo(-12));
            Assert.That(channel.StartPosition, Is.EqualTo((-7, 9, 64)));
            Assert.That(channel.LingerNanos, Is.EqualTo(250_000_000));
            Assert.That(channel.SocketSendBufferLength, Is.EqualTo(2 << 20));
            Assert.That(channel.SocketReceiveBufferLength, Is.EqualTo(1 << 20));
            Assert.That(channel.SignalsEndOfStream, Is.False);
            Assert.That(channel.PublicationWindowLength, Is.EqualTo(1 << 20));
        });
    }

    [TestCase("7", 7)]
    [TestCase("7ns", 7)]
    [TestCase("7us", 7_000)]
    [TestCase("7ms", 7_000_000)]
    [TestCase("7s", 7_000_000_000)]
    public void Durations_take_the_units_of_Aeron(string text, long nanos) => Assert.That(
        Channel.ForSubscription($"aeron:udp?endpoint=localhost:1|nak-delay={text}", Options).NakDelayNanos, Is.EqualTo(nanos));

    [TestCase("127.0.0.1", "127.0.0.1:0")]
    [TestCase("127.0.0.1/32", "127.0.0.1:0")]
    [TestCase("127.0.0.0/8", "127.0.0.1:0")]
    [TestCase("localhost", "127.0.0.1:0")]
    [TestCase("127.0.0.1:40000", "127.0.0.1:0")]
    public void An_interface_is_an_address_a_network_or_a_name(string text, string expected) => Assert.That(
        new Ipv4Endpoint(Channel.ForSubscription($"aeron:udp?endpoint=224.20.30.41:1|interface={text}", Options).Interface, 0).ToString(),
        Is.EqualTo(expected));

    [Test]
    public void Parameters_of_the_other_side_are_taken_as_Aeron_takes_them()
    {
        const string Both = "aeron:udp?endpoint=127.0.0.1:1|mtu=1408|reliable=true|rejoin=true|term-length=64k"
            + "|nak-delay=1ms|fc=max|cc=static";
        Assert.That(() => Channel.ForPublication(Both, Options), Throws.Nothing);
        Assert.That(() => Channel.ForSubscription(Both, Options), Throws.Nothing);
    }

    [Test]
    public void A_refused_port_is_an_error_that_names_it()
    {
        using var agent = new AeronAgent(new AeronOptions(new MachineClock()));
        Subscription subscription = agent.AddSubscription("aeron:udp?endpoint=127.0.0.1:0", 1);
        using var other = new AeronAgent(new AeronOptions(new MachineClock()));
        Assert.That(
            () => other.AddSubscription($"aeron:udp?endpoint={subscription.LocalEndpoint}", 1),
            Throws.TypeOf<IOException>().With.Message.Contains(subscription.LocalEndpoint.ToString()));
    }

    [TestCase(nameof(AeronOptions.Mtu))]
    [TestCase(nameof(AeronOptions.TermLength))]
    [TestCase(nameof(AeronOptions.InitialWindowLength))]
    [TestCase(nameof(AeronOptions.MaxImages))]
    public void A_wrong_option_names_itself(string name)
    {
        var options = new AeronOptions(new SimulatedTime());
        typeof(AeronOptions).GetProperty(name)!.SetValue(options, 17);
        if (name == nameof(AeronOptions.MaxImages))
            typeof(AeronOptions).GetProperty(name)!.SetValue(options, 0);
        Assert.That(() => new AeronAgent(options), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains(name));
    }
}
