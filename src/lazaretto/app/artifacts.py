"""What is left of artifacts once they are judged: counts and names, so that their bytes can be let go."""

from lazaretto.app.report import ReportedArtifact
from lazaretto.core.model import ArtifactKind, Release
from lazaretto.core.update import ChangeStatus, Pair


def summary(pair: Pair, release: Release) -> ReportedArtifact:
    """Return what was read of one artifact, and how much of it changed; ``release`` has the digest of its bytes."""
    counts = dict.fromkeys(ChangeStatus, 0)
    for change in pair.changes.values():
        counts[change.status] += 1
    artifact = pair.after.artifact
    digests = {one.filename: one.digests.get("sha256") for one in release.artifacts}
    digest = digests.get(artifact.filename)
    return ReportedArtifact(
        filename=artifact.filename,
        digest=f"sha256:{digest}" if digest else "",
        size=pair.after.tree.size,
        files=len(pair.after.tree.files),
        before=pair.before.artifact.filename if pair.before else None,
        added=counts[ChangeStatus.ADDED],
        changed=counts[ChangeStatus.CHANGED],
        removed=counts[ChangeStatus.REMOVED],
    )


def disagreements(pairs: tuple[Pair, ...]) -> tuple[str, ...]:
    """Say where artifacts of one release disagree: code that stands in both with other bytes, or in wheels only."""
    wheels = [pair.after for pair in pairs if pair.after.artifact.kind is ArtifactKind.WHEEL]
    sources = [pair.after for pair in pairs if pair.after.artifact.kind is ArtifactKind.SDIST]
    lines = []
    for wheel in wheels:
        for other in sources + [w for w in wheels if w.artifact.filename > wheel.artifact.filename]:
            known = {path.removeprefix("src/"): blob.digest for path, blob in other.tree.files.items()}
            for path, blob in wheel.tree.files.items():
                if not path.endswith((".py", ".pth", ".js")):
                    continue
                if path not in known:
                    lines.append(f"{path}: in {wheel.artifact.filename}, not in {other.artifact.filename}")
                elif known[path] != blob.digest:
                    lines.append(f"{path}: {wheel.artifact.filename} and {other.artifact.filename} differ")
    return tuple(sorted(lines))
