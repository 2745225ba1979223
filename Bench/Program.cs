using MarginEngine.Bench;

return args switch
{
    ["ring", .. var options] => RingBench.Command(options, Console.Out, Console.Error),
    _ => 0,
};
