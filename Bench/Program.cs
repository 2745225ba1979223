using MarginEngine.Bench;

return args switch
{
    ["ring", .. var options] => RingBench.Command(options, Console.Out, Console.Error),
    ["wire", .. var options] => WireBench.Run(options),
    _ => 0,
};
