"""Updates built by hand: what a detector sees, without archives, readers or a registry."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from lazaretto.core.facts import Fact, Facts, Flow, Kind, Moment, Problem, Reach, Span
from lazaretto.core.manifest import Hook, HookKind, Manifest
from lazaretto.core.model import Artifact, ArtifactKind, Dependency, Project, Provided, Release
from lazaretto.core.names import Digest, ProjectName, Version
from lazaretto.core.tree import Blob, Oddity, Tree
from lazaretto.core.update import ArtifactView, Edge, Pair, Placed, Update

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
ARTIFACT = Artifact("example-package-1.0.1.tgz", ArtifactKind.TARBALL, "https://registry.invalid/x")


def fact(kind: Kind, value: str | None = None, line: int = 1, via: str = "plain", moment: Moment = Moment.LOAD) -> Fact:
    """Return a fact at the start of a line."""
    return Fact(kind, value, Span(line, 0, line * 10, line * 10 + 5), moment, via)


def view(
    files: Mapping[str, str],
    facts: Mapping[str, Iterable[Fact]] | None = None,
    reaches: Mapping[str, Reach] | None = None,
    *,
    flows: Mapping[str, tuple[Flow, ...]] | None = None,
    hooks: tuple[Hook, ...] = (),
    dependencies: tuple[Dependency, ...] = (),
    oddities: tuple[Oddity, ...] = (),
    problems: tuple[tuple[str, Problem], ...] = (),
) -> ArtifactView:
    """Return an artifact as it was read; a place called later has the reach CALL, others that of their file."""
    reaches = reaches or {}
    blobs = {path: Blob(Digest(f"sha256:{text!r}"), text.encode()) for path, text in sorted(files.items())}
    known = {
        p: Facts("javascript", tuple(found), (flows or {}).get(p, ())) for p, found in sorted((facts or {}).items())
    }
    placed = tuple(
        Placed(path, one, Reach.CALL if one.moment is Moment.CALL else reaches.get(path, Reach.UNREACHED))
        for path, read in known.items()
        for one in read.facts
    )
    manifest = Manifest("package.json", "example-package", "1.0.1", dependencies, hooks)
    return ArtifactView(ARTIFACT, Tree(blobs, oddities), manifest, known, placed, reaches, problems)


def script(command: str, name: str = "postinstall") -> Hook:
    """Return a lifecycle script in the first line of the manifest."""
    return Hook(HookKind.SCRIPT, name, command, "package.json", Span(1, 0, 0, 0))


def release(version: str, **fields: Any) -> Release:
    """Return a release of the example package that still has its artifact."""
    return Release("npm", ProjectName("example-package"), Version(version), **{"artifacts": (ARTIFACT,), **fields})


def update(
    before: ArtifactView | None,
    after: ArtifactView,
    /,
    *,
    releases: tuple[Release, ...] = (),
    edges: tuple[Edge, ...] = (),
    names: Iterable[str] = (),
    **fields: Any,
) -> Update:
    """Return the update from ``before`` to ``after``: 1.0.0 and 1.0.1, unless ``fields`` says otherwise."""
    known: dict[str, Any] = {
        "before": release("1.0.0") if before else None,
        "after": release("1.0.1", published=NOW),
        "provides": frozenset(Provided),
        "now": NOW,
        **fields,
    }
    known.setdefault("history", tuple(reversed([r for r in releases if r.version != known["after"].version])))
    return Update(
        ecosystem="npm",
        pairs=(Pair(before, after),),
        releases=releases,
        edges=edges,
        names=frozenset(names),
        **known,
    )


def edge(name: str, *releases: Release, imported: bool = False) -> Edge:
    """Return a new dependency whose range resolves to the last of its releases."""
    project = Project("npm", ProjectName(name), releases) if releases else None
    return Edge(Dependency(ProjectName(name), "^1.0.0"), releases[-1] if releases else None, project, imported)
