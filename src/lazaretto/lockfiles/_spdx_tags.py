"""SPDX as tag-value: lines ``Tag: value``, where a value in ``<text>`` may go over several lines."""

from collections.abc import Iterator, Sequence

from lazaretto.core.pin import LockfileError
from lazaretto.lockfiles._components import Component

_PACKAGE = "PackageName"
_OTHERS = frozenset({"FileName", "SnippetSPDXID", "LicenseID"})
"""Tags that begin something that is no package."""


def packages(text: str, versions: Sequence[str]) -> Iterator[Component]:
    """Yield every package. Raises LockfileError if it is no such document, or of another version."""
    tags = list(_tags(text))
    version = next(((value, line) for tag, value, line in tags if tag == "SPDXVersion"), ("", 1))
    if version[0] not in versions:
        raise LockfileError(version[1], f"not SPDX of a known version: {', '.join(versions)} are, as tag-value")
    subject = _described(tags)
    package: list[tuple[str, str, int]] = []
    for tag in [*tags, (_PACKAGE, "", 0)]:
        if tag[0] == _PACKAGE:
            yield from _components(package, subject)
            package = [tag]
        elif tag[0] in _OTHERS:
            yield from _components(package, subject)
            package = []
        elif package:
            package.append(tag)


def _tags(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield tag, value and line."""
    inside = False
    for number, line in enumerate(text.split("\n"), 1):
        content = line.strip()
        if inside or not content or content.startswith("#"):
            inside = inside and "</text>" not in content
            continue
        tag, colon, value = content.partition(":")
        if not colon or not tag.isalnum():
            raise LockfileError(number, f"this is not 'Tag: value': {content[:40]!r}")
        value = value.strip()
        inside = value.startswith("<text>") and "</text>" not in value
        yield tag, value.removeprefix("<text>").partition("</text>")[0], number


def _described(tags: list[tuple[str, str, int]]) -> str | None:
    """Return the package that the document is about, if it is one alone."""
    found = set()
    for tag, value, _ in tags:
        words = value.split()
        if tag == "Relationship" and len(words) == 3 and words[1] == "DESCRIBES":
            found.add(words[2])
    return found.pop() if len(found) == 1 else None


def _components(package: list[tuple[str, str, int]], subject: str | None) -> Iterator[Component]:
    if not package or (subject is not None and ("SPDXID", subject) in [(tag, value) for tag, value, _ in package]):
        return
    _, name, line = package[0]
    hashes = []
    purls: list[tuple[str | None, int]] = []
    for tag, value, at in package:
        if tag == "PackageChecksum":
            algorithm, _, digest = value.partition(":")
            hashes.append((algorithm.strip(), digest.strip()))
        elif tag == "ExternalRef":
            words = value.split()
            if len(words) == 3 and words[1] == "purl":
                purls.append((words[2], at))
    for purl, at in purls or [(None, line)]:
        yield Component(name, purl, at, f"PackageName {name}", "package without a package URL", tuple(hashes))
