namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>The references by the names of the shipped documents.</summary>
internal static class ReferenceModels
{
    public static IReadOnlyList<IReferenceModel> All { get; } =
    [
        new MatrixModel(),
        new PortfolioModel(),
        new DeribitPmModel(),
        new DeribitStandardModel(),
        new DerivePmrm2Model(),
        new DerivePmrm1Model(),
        new DeriveStandardModel(),
        new ParadexModel(),
        new OkxModel(),
        new SpanModel(),
        new TimsModel(),
        new HistoricalModel(),
        new TierModel("brackets"),
        new TierModel("isolated"),
        new TierModel("cross"),
    ];

    public static IEnumerable<string> Names => All.Select(model => model.Name);

    public static IReferenceModel Of(string name) => All.First(model => model.Name == name);
}
