// A linear scale from figures to coordinates, with round ticks.
namespace MarginEngine.Tool.Compare.Page;

/// <param name="Low">Figure that lies at <paramref name="Start"/>.</param>
/// <param name="High">Figure that lies at <paramref name="End"/>, above <paramref name="Low"/>.</param>
internal readonly record struct Axis(double Low, double High, double Start, double End)
{
    public double At(double figure) => Start + ((End - Start) * (figure - Low) / (High - Low));

    /// <summary>About <paramref name="count"/> multiples of 1, 2, 2.5 or 5 times a power of ten.</summary>
    public IEnumerable<double> Ticks(int count)
    {
        double rough = (High - Low) / count, power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        double step = power * (rough / power) switch { <= 1 => 1, <= 2 => 2, <= 2.5 => 2.5, <= 5 => 5, _ => 10 };
        double low = Low, high = High;
        return Enumerable.Range(0, (2 * count) + 2).Select(index => (Math.Ceiling(low / step) + index) * step).Where(tick => tick <= high);
    }
}
