// The kinds of schema mistakes. The number is the diagnostic's: rule 7 is reported as SBE007.

namespace MarginEngine.SbeGenerator.Model;

internal enum Rule
{
    Xml = 1,
    MissingAttribute = 2,
    BadAttribute = 3,
    BadName = 4,
    DuplicateName = 5,
    DuplicateId = 6,
    UnknownType = 7,
    CircularType = 8,
    BadPrimitive = 9,
    ValueOutOfRange = 10,
    MissingConstant = 11,
    BadEnumOrSet = 12,
    BadOffset = 13,
    BadBlockLength = 14,
    BadHeader = 15,
    BadDimension = 16,
    BadVarData = 17,
    BadOrder = 18,
    BadVersion = 19,
    MisplacedElement = 20,
    Include = 21,
    Collision = 22,
    Empty = 23,
    Internal = 99,
}
