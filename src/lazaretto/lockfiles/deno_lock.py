"""Deno's ``deno.lock``, versions 1 to 5: what it takes from npm.

An npm entry is keyed by name and version, behind which the peers that it was resolved with may follow
(``react-dom@18.2.0_react@18.2.0``). Modules from JSR and from addresses are pins of source ``url``: no ecosystem that
is read here has them, and each is told.

Not seen: what JSR packages and remote modules contain.
"""

from collections.abc import Callable, Iterator

from lazaretto.core.pin import LockfileError, Pin, PinSource, digest_of
from lazaretto.lockfiles._located import VERSION, Table, split_name, sri

MATCHES = ("deno.lock",)
ECOSYSTEM = "npm"

_VERSIONS = ("1", "2", "3", "4", "5")


def parse(
    text: str,
    include: Callable[[str], str] | None = None,  # noqa: ARG001 - one signature for all formats
) -> Iterator[Pin]:
    """Yield every package and every remote module.

    Raises:
        LockfileError: the text is not JSON, or of an unknown version.
    """
    from lazaretto.lockfiles import _json

    document = _json.read(text)
    version = document.get("version", "1")
    if version not in _VERSIONS:
        line = document.lines["version"]
        raise LockfileError(line, f"lockfile version {str(version)[:20]!r} is not known; {', '.join(_VERSIONS)} are")
    if version == "1" and "version" not in document:
        yield from _remote(document)
        return
    holder = document.table("packages") if version == "3" else document
    specifiers = holder.table("npm").table("specifiers") if version == "2" else holder.table("specifiers")
    asked = _asked(specifiers)
    packages = holder.table("npm")
    for key, entry, line in (packages.table("packages") if version == "2" else packages).entries():
        yield _npm(key, entry, line, asked)
    for key, _, line in holder.table("jsr").entries():
        name, _, exact = key.rpartition("@")
        yield Pin(ECOSYSTEM, name, exact or None, line, f"jsr.{key}", source=PinSource.URL, location=f"jsr:{key}")
    yield from _remote(document.table("remote"))


def _asked(specifiers: Table) -> dict[str, str]:
    """Return what is asked for: the key of an npm package -> its range."""
    asked: dict[str, str] = {}
    for specifier, resolved in specifiers.items():
        name, requirement = split_name(specifier.removeprefix("npm:"))
        exact = str(resolved).removeprefix("npm:")
        asked[exact if exact.startswith(f"{name}@") else f"{name}@{exact}"] = requirement
    return asked


def _npm(key: str, entry: object, line: int, asked: dict[str, str]) -> Pin:
    name, reference = split_name(key)
    version = reference.partition("_")[0]
    problem = None if VERSION.fullmatch(version) else f"the key {key[:60]!r} names no version"
    tarball: str | None = None
    digests: tuple[str, ...] = ()
    if isinstance(entry, Table):
        digests, wrong = sri(entry.get("integrity"))
        problem = problem or wrong
        tarball = entry.text("tarball")
    else:
        problem = problem or "the entry is not an object"
    return Pin(
        ecosystem=ECOSYSTEM,
        name=name,
        version=None if problem and not VERSION.fullmatch(version) else version,
        line=line,
        path=f"npm.{key}",
        requirement=asked.get(key),
        integrity=digests,
        direct=key in asked,
        location=tarball,
        problem=problem or (None if name else "no name is given"),
    )


def _remote(modules: Table) -> Iterator[Pin]:
    """Yield what is loaded from an address, with the SHA-256 of its text."""
    for url, value, line in modules.entries():
        digest = digest_of("sha256", str(value))
        yield Pin(
            ecosystem=ECOSYSTEM,
            name="",
            version=None,
            line=line,
            path=f"remote.{url}"[:200],
            integrity=(digest,) if digest else (),
            source=PinSource.URL,
            location=url or "an empty address",
            problem=None if digest else "the hash is not understood",
        )
