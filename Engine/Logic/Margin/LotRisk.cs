namespace MarginEngine.Logic;

/// <summary>Value and sensitivities of one lot under one model, in atoms of the settlement currency unless said otherwise.</summary>
public struct LotRisk
{
    /// <summary>Instrument version and model generation it was priced at; 0: never.</summary>
    public uint InstrumentVersion;
    public uint ModelGeneration;

    /// <summary>Index it was priced at, where the model's rows depend on it.</summary>
    public FinePrice Index;

    /// <summary>A price it needs has never arrived: no row is valid and the whole notional counts as loss.</summary>
    public bool IsUnpriced;

    /// <summary>The index entered what does not depend on it else: a notional for want of a price. Until the contract changes a later index does not count.</summary>
    public bool RemembersIndex;
    public FinePrice RememberedIndex;

    /// <summary>What is multiplied by lots.</summary>
    public LotFigures Figures;

    /// <summary>Largest magnitude in the row.</summary>
    public double LargestRow;

    /// <summary>Volatility it was priced with; 0: it has none.</summary>
    public double Volatility;

    public double Value { readonly get => Figures.Value; set => Figures.Value = value; }

    public double Notional { readonly get => Figures.Notional; set => Figures.Notional = value; }

    public double DeltaBase { readonly get => Figures.DeltaBase; set => Figures.DeltaBase = value; }

    public double DeltaUsd { readonly get => Figures.DeltaUsd; set => Figures.DeltaUsd = value; }

    public double GammaUsd { readonly get => Figures.GammaUsd; set => Figures.GammaUsd = value; }

    public double VegaUsd { readonly get => Figures.VegaUsd; set => Figures.VegaUsd = value; }

    public double ThetaUsd { readonly get => Figures.ThetaUsd; set => Figures.ThetaUsd = value; }

    public double RhoUsd { readonly get => Figures.RhoUsd; set => Figures.RhoUsd = value; }
}
