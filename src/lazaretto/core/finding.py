"""A detector's card, its examples, and what it finds."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct, field

from lazaretto.core.facts import Reach
from lazaretto.core.model import Provided

if TYPE_CHECKING:
    from lazaretto.core.update import Update


class Evidence(Struct, frozen=True):
    """A place a person can look at.

    ``path`` is a path inside the artifact named by ``artifact`` (or an index field such as
    ``index:publisher``); ``line`` is 1-based, 0 where there is no line; ``text`` is the line as
    published, cut to a bounded length; ``decoded`` is the value that the reader recovered.
    """

    path: str
    line: int = 0
    column: int = 0
    text: str = ""
    decoded: str | None = None
    via: str = "plain"
    reach: Reach | None = None
    artifact: str = ""


class Finding(Struct, frozen=True):
    """One observation of one detector. ``variant`` names the row of the weight table.

    ``message`` says what this update does, in one sentence for a person, with no judgement.
    """

    detector: str
    variant: str
    message: str
    evidence: tuple[Evidence, ...]


class Example(Struct, frozen=True):
    """A small update, as data. Contract tests build it for real and run the detector on it.

    ``before`` and ``after`` map a path inside the package root to its text (None: no earlier
    release). For npm the ``package.json`` is part of the mapping; for PyPI the artifact is a wheel
    unless ``sdist`` is set, and metadata files (``*.dist-info/METADATA``) are added if absent.
    ``expect`` is the variant that fires, or None if the detector must be silent; ``at`` is the
    ``path:line`` that the evidence must name. ``world`` overrides index data: keys are those of
    ``replay.toml`` tables (``before``, ``after``, ``history``, ``dependency``, ``now``). ``absent`` lists
    dependencies that the registry has not; ``sdist`` in ``before`` and ``after`` holds the files of a
    source distribution beside the wheel.
    """

    title: str
    after: Mapping[str, str]
    before: Mapping[str, str] | None = None
    expect: str | None = None
    at: str | None = None
    ecosystem: str = "npm"
    sdist: bool = False
    world: Mapping[str, Any] = field(default_factory=dict)


class Card(Struct, frozen=True):
    """What everybody else needs to know of a detector: docs page, SARIF rule, help, weights.

    ``variants`` maps each variant to one sentence that says when it applies. ``group`` names the
    correlated group whose charges are capped together. ``needs`` lists index fields without which
    the question cannot be asked. ``attack`` are MITRE ATT&CK technique ids.
    """

    id: str
    title: str
    variants: Mapping[str, str]
    group: str
    why: str
    attack: tuple[str, ...] = ()
    needs: frozenset[Provided] = frozenset()
    version: int = 1
    since: str = "0.1.0"


class Detector(Protocol):
    """The names a module ``detectors/<id>.py`` exposes (file name = id with ``_`` for ``-``).

    Its docstring has the sections *What it detects*, *Why it matters*, *What it misses*,
    *References*; it is the detector's page.
    """

    CARD: Card
    EXAMPLES: tuple[Example, ...]

    def detect(self, update: "Update") -> Iterator[Finding]:
        """Yield what is found. Raises nothing on any update."""
        ...
