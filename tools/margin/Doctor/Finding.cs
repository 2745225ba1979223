// What one check of `margin doctor` found. Checks return findings; DoctorVerb prints them.
namespace MarginEngine.Tool.Doctor;

internal enum Severity
{
    /// <summary>As it should be.</summary>
    Good,

    /// <summary>It does not show here, as in many containers: ask the host.</summary>
    Unseen,

    /// <summary>Works; slower or less safe than it could be.</summary>
    Advice,

    /// <summary>The engine refuses to run like this.</summary>
    Problem,
}

/// <param name="Setting">What it should be.</param>
/// <param name="Why">What another setting costs.</param>
/// <param name="How">What to do to get it.</param>
internal sealed record Recommendation(string Setting, string Why, string How);

/// <param name="Subject">What was looked at, for example <c>clock source</c>.</param>
/// <param name="Value">What was found.</param>
/// <param name="Severity">How bad it is.</param>
/// <param name="Fix">What to do about it; null where nothing is to be done.</param>
/// <param name="Recommended">What a setting should be and why; null for what is no setting.</param>
internal sealed record Finding(string Subject, string Value, Severity Severity = Severity.Good, string? Fix = null, Recommendation? Recommended = null)
{
    public const string NotVisible = "not visible here";

    public static Finding Judge(string subject, string value, bool good, string fix, Severity otherwise = Severity.Advice) =>
        good ? new(subject, value) : new(subject, value, otherwise, fix);

    /// <param name="subject">What was looked at.</param>
    /// <param name="value">Null: it does not show here, and nothing is judged.</param>
    /// <param name="good">It is as recommended.</param>
    /// <param name="recommended">What it should be.</param>
    public static Finding OfSetting(string subject, string? value, bool good, Recommendation recommended) =>
        value is null ? new(subject, NotVisible, Severity.Unseen, $"{recommended.How} on the host, if it is not so: {recommended.Why}", recommended)
        : good ? new(subject, value, Recommended: recommended)
        : new(subject, value, Severity.Advice, $"{recommended.How}: {recommended.Why}", recommended);
}
