"""What a corpus offers: an item names a release, or an update, and where its bytes are."""

from enum import StrEnum

from msgspec import Struct

RECORDED_DAY = "recorded-day"
"""The corpus of which only pieces of files are known: what of it is not understood says nothing."""


class Label(StrEnum):
    """What the corpus says of an item."""

    MALICIOUS = "malicious"
    BENIGN = "benign"


class Form(StrEnum):
    """How the bytes of a release lie in the corpus."""

    ARCHIVE = "archive"  # one file, as a registry has it
    FILES = "files"  # the files of a package, loose: packed again in memory
    REPORT = "report"  # one side of a recorded difference: the part is named ``before`` or ``after``
    SEALED = "sealed"  # a ZIP with a password that everybody knows, and loose files in it


class Part(Struct, frozen=True):
    """One file of a corpus: the path it has in the package (or the archive's name), and the place of its bytes."""

    name: str
    place: str


class Ref(Struct, frozen=True):
    """Where a release's bytes are: ``store`` is a bare git directory (places are object ids) or empty (paths)."""

    store: str
    form: Form
    parts: tuple[Part, ...]


class Item(Struct, frozen=True):
    """One release at first contact, or one update if ``before`` is given.

    ``key`` is unique in its corpus and tells nothing of the sample; ``since`` is the month it became known;
    ``trimmed`` says that only the malicious file is left of the package.
    """

    corpus: str
    key: str
    label: Label
    ecosystem: str
    after: Ref
    before: Ref | None = None
    since: str = ""
    kind: str = ""
    name: str = ""
    version: str = ""
    trimmed: bool = False
