"""This update ships different code in its artifacts of one and the same release.

## What it detects
Where more than one artifact of a release is read (source distribution and wheels, or several wheels): a file of one
that does something on its own (starts a process, connects, evaluates, reads a credential, and the like) which the
same file of the other does not do, or which the other lacks; unless artifacts of the earlier release differed so too.

## Why it matters
The source distribution is what is compared with the repository, the wheel is what is installed. Whoever builds the
wheel elsewhere can put into it what nobody compares: litellm 1.82.8 and elementary-data did so in 2026.

## What it misses
Releases with one artifact; differences of data, and of compiled code; a file that a build puts somewhere else.

## References
- The public record of litellm 1.82.8 (2026)
- MITRE ATT&CK T1195.002; T1036, Masquerading
"""

from collections.abc import Iterator
from functools import cached_property
from itertools import permutations

from lazaretto.core.facts import Kind
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.model import ArtifactKind
from lazaretto.core.question import ACTS, Tally, decoded, runs_by_itself
from lazaretto.core.update import ArtifactView, Placed, Update

CARD = Card(
    id="artifacts-disagree",
    title="Artifacts of one release disagree",
    variants={
        "autorun": "Code that runs by itself acts in one artifact as it does not in the other.",
        "call": "A function acts in one artifact as it does not in the other.",
    },
    group="shape",
    why="What is compared with the source is not what is installed.",
    attack=("T1195.002", "T1036"),
)

_CODE = (".py", ".pth", ".pyw")
_GENERATED = ("_version.py", "version.py", "_build_info.py", "_pb2.py", "_pb2_grpc.py")
_PLAIN = "WIDTH = 2\n"
_ACTING = "import subprocess\nsubprocess.run(['whoami'])\nWIDTH = 2\n"

EXAMPLES = (
    Example(
        title="the wheel starts a process that the source distribution does not start",
        ecosystem="pypi",
        before={"pad/__init__.py": _PLAIN},
        after={"pad/__init__.py": _ACTING},
        world={"before": {"sdist": {"pad/__init__.py": _PLAIN}}, "after": {"sdist": {"pad/__init__.py": _PLAIN}}},
        expect="autorun",
        at="pad/__init__.py:2",
    ),
    Example(
        title="a file of the wheel that the source distribution lacks",
        ecosystem="pypi",
        before={"pad/__init__.py": _PLAIN},
        after={"pad/__init__.py": _PLAIN, "pad/extra.py": "import os\ndef pad(a):\n    os.system('whoami')\n"},
        world={"before": {"sdist": {"pad/__init__.py": _PLAIN}}, "after": {"sdist": {"pad/__init__.py": _PLAIN}}},
        expect="call",
        at="pad/extra.py:3",
    ),
    Example(
        title="both artifacts start the process",
        ecosystem="pypi",
        before={"pad/__init__.py": _PLAIN},
        after={"pad/__init__.py": _ACTING},
        world={
            "before": {"sdist": {"src/pad/__init__.py": _PLAIN}},
            "after": {"sdist": {"src/pad/__init__.py": _ACTING}},
        },
    ),
    Example(
        title="a build writes its version into the wheel",
        ecosystem="pypi",
        before={"pad/__init__.py": _PLAIN},
        after={"pad/__init__.py": _PLAIN, "pad/_build.py": "VERSION = '1.0.1'\n"},
        world={"before": {"sdist": {"pad/__init__.py": _PLAIN}}, "after": {"sdist": {"pad/__init__.py": _PLAIN}}},
    ),
    Example(
        title="artifacts that always differed so",
        ecosystem="pypi",
        before={"pad/__init__.py": _ACTING},
        after={"pad/__init__.py": _ACTING.replace("2", "3")},
        world={"before": {"sdist": {"pad/__init__.py": _PLAIN}}, "after": {"sdist": {"pad/__init__.py": _PLAIN}}},
    ),
)

_MESSAGES = {
    "autorun": "acts, without being called, in one artifact as it does not in another",
    "call": "acts in one artifact as it does not in another",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant; none at first contact, where nobody knows how the line is built."""
    if update.first_contact or len(update.pairs) == 1:
        return
    tally = Tally(CARD)
    for one, other in permutations(update.pairs, 2):
        if one.before is None or other.before is None:
            continue
        mine, theirs = _Side(one.after), _Side(other.after)
        for path in _differing(mine, theirs, _Side(one.before), _Side(other.before)):
            known = theirs.does(path)
            for placed in mine.acts.get(path, ()):
                if (placed.fact.kind, placed.fact.value) not in known:
                    variant = "autorun" if runs_by_itself(placed) else "call"
                    tally.add(variant, one, placed)
                    tally.explain(variant, decoded(one, path))
    yield from tally.findings(_MESSAGES)


def _differing(mine: "_Side", theirs: "_Side", before: "_Side", theirs_before: "_Side") -> Iterator[str]:
    """Yield the files that are another's in the other artifact, or lacking there, as was not so before."""
    builds_code = any(not theirs_before.named(path) for path in before.written)
    for path in mine.written:
        if theirs.has(path, mine.view):
            continue
        if not theirs.named(path):
            # What a source distribution has in addition is never installed; what a build adds it added before.
            if not builds_code and mine.view.artifact.kind is not ArtifactKind.SDIST:
                yield path
        elif path not in before.view.tree or theirs_before.has(path, before.view):
            yield path


def _is_written(path: str) -> bool:
    """Whether a file is code that people write; what builds write differs from artifact to artifact."""
    return path.endswith(_CODE) and not path.endswith(_GENERATED)


class _Side:
    """One artifact: the files that stand for paths of another one (packages move below ``src``), and what files do."""

    def __init__(self, view: ArtifactView) -> None:
        self.view = view
        self.written = [path for path in view.tree if _is_written(path)]
        self._paths: dict[str, list[str]] = {}
        for path in self.written:
            self._paths.setdefault(path.rpartition("/")[2], []).append(path)

    @cached_property
    def acts(self) -> dict[str, list[Placed]]:
        """Path -> what the file does; nothing is known of what was not read."""
        found: dict[str, list[Placed]] = {}
        for placed in self.view.placed:
            if placed.fact.kind in ACTS:
                found.setdefault(placed.path, []).append(placed)
        return found

    def named(self, path: str) -> list[str]:
        """Return the files that stand for a path."""
        alike = self._paths.get(path.rpartition("/")[2], ())
        return [one for one in alike if one == path or one.endswith(f"/{path}") or path.endswith(f"/{one}")]

    def has(self, path: str, other: ArtifactView) -> bool:
        """Whether a file that stands for a path has the bytes that it has in the other artifact."""
        digest = other.tree.files[path].digest
        return any(self.view.tree.files[one].digest == digest for one in self.named(path))

    def does(self, path: str) -> set[tuple[Kind, str | None]]:
        """Return what the files that stand for a path do."""
        return {(p.fact.kind, p.fact.value) for one in self.named(path) for p in self.acts.get(one, ())}
