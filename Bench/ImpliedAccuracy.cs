using System.Globalization;
using MarginEngine.Logic;

namespace MarginEngine.Bench;

/// <summary>
/// How far the solvers that PricingBench times are from volatilities that are known: a baseline that is fast and wrong would be none. Forward / strike 0.2 to 5, an
/// hour to two years, 5 % to 400 %, prices of at least 1e-12 of the forward.
/// </summary>
internal static class ImpliedAccuracy
{
    private const int Rows = 4096;
    private const double Allowed = 1e-12;
    private const double LeastShare = 1e-12;

    /// <summary>Where the price's own last bits move the volatility by more than this many of its own, no solver is to blame.</summary>
    private const double LargestCondition = 100.0;

    /// <summary>One solver and what was found about it.</summary>
    public sealed class Solver(string name)
    {
        public string Name => name;

        /// <summary>The worst relative error among options whose price determines their volatility.</summary>
        public double Worst { get; private set; }

        /// <summary>Not a number, or further off than 1e-12 (times the condition number where that is above 1).</summary>
        public int Failures { get; private set; }

        public void Compare(double found, double volatility, double condition)
        {
            double error = Math.Abs(found / volatility - 1.0);
            if (!(error <= Allowed * Math.Max(1.0, condition)))
                Failures++;
            if (condition < LargestCondition)
                Worst = Math.Max(Worst, error);
        }
    }

    /// <summary>Tries the solvers on at least so many options and says what became of it; nothing for none.</summary>
    public static IReadOnlyList<Solver> Write(int points, TextWriter output)
    {
        if (points == 0)
            return [];

        var random = new Random(2013);
        double LogBetween(double low, double high) => Math.Exp(Math.Log(low) + (Math.Log(high) - Math.Log(low)) * random.NextDouble());
        Solver baseline = new("LetsBeRational, scalar"), single = new("ours, single solver"), columns = new("ours, columns");
        double[] forward = new double[Rows], strike = new double[Rows], years = new double[Rows], volatility = new double[Rows];
        double[] price = new double[Rows], found = new double[Rows];
        int singly = 0;
        for (int done = 0; done < points; done += Rows)
        {
            for (int i = 0; i < Rows;)
            {
                strike[i] = LogBetween(1.0, 1e5);
                forward[i] = strike[i] * LogBetween(0.2, 5.0);
                years[i] = LogBetween(1.0 / 8760.0, 2.0);
                volatility[i] = LogBetween(0.05, 4.0);
                price[i] = LetsBeRational.Value(forward[i], strike[i], years[i], volatility[i]);
                if (price[i] >= LeastShare * forward[i])
                    i++;
            }

            singly += ImpliedVolatility.OfOutOfTheMoney(forward, strike, years, price, found);
            for (int i = 0; i < Rows; i++)
            {
                double deviation = volatility[i] * Math.Sqrt(years[i]);
                double d1 = Math.Log(forward[i] / strike[i]) / deviation + 0.5 * deviation;
                double slope = forward[i] * Math.Exp(-0.5 * d1 * d1) / Math.Sqrt(2.0 * Math.PI);
                double condition = price[i] / (deviation * slope);
                baseline.Compare(LetsBeRational.OfOutOfTheMoney(forward[i], strike[i], years[i], price[i]), volatility[i], condition);
                single.Compare(ImpliedVolatility.OfOutOfTheMoney(forward[i], strike[i], years[i], price[i]), volatility[i], condition);
                columns.Compare(found[i], volatility[i], condition);
            }
        }

        int tried = (points + Rows - 1) / Rows * Rows;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"implied volatilities of {tried:N0} options of the wide domain, priced by the formula of LetsBeRational; {singly} of the columns went through the single solver"));
        Solver[] solvers = [baseline, single, columns];
        foreach (Solver solver in solvers)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{solver.Name,-50} worst relative error {solver.Worst:E1}, {solver.Failures} failures"));
        return solvers;
    }
}
