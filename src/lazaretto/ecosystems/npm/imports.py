"""Which file an import loads, and which package a specifier names."""

from functools import lru_cache

from lazaretto.core.manifest import Manifest
from lazaretto.core.tree import Tree
from lazaretto.ecosystems.npm import document, exports, nodefiles

_BUILTIN = """
assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns domain events
fs http http2 https inspector module net os path perf_hooks process punycode querystring readline repl stream
string_decoder sys timers tls trace_events tty url util v8 vm wasi worker_threads zlib _http_agent _http_client
_http_common _http_incoming _http_outgoing _http_server _stream_duplex _stream_passthrough _stream_readable
_stream_transform _stream_wrap _stream_writable _tls_common _tls_wrap
"""


@lru_cache(maxsize=1)
def _builtin() -> frozenset[str]:
    """Return Node's built-in modules; a name among them is never taken from a registry."""
    return frozenset(_BUILTIN.split())


def resolve_import(path: str, specifier: str, tree: Tree, manifest: Manifest) -> tuple[str, ...]:
    """Return the files of the package that ``specifier``, written in ``path``, can load; empty if none."""
    if specifier.startswith(("./", "../")) or specifier in (".", ".."):
        return _relative(path, specifier, tree)
    if specifier.startswith("#"):
        return tuple(dict.fromkeys(exports.lookup(document.package(tree).get("imports"), specifier, tree)))
    if manifest.name and (specifier == manifest.name or specifier.startswith(f"{manifest.name}/")):
        return _own(specifier[len(manifest.name) + 1 :], tree)
    if specifier.startswith("/") or ":" in specifier:
        return ()
    return _bundled(path, specifier, tree)


def imported_name(specifier: str) -> str | None:
    """Return the package that a specifier names; None if it is a path, built in, or a web address."""
    if not specifier or specifier[0] in "./#~\\" or ":" in specifier:
        return None
    parts = specifier.split("/")
    if specifier.startswith("@"):
        return "/".join(parts[:2]) if len(parts) > 1 and len(parts[0]) > 1 and parts[1] else None
    return None if parts[0] in _builtin() else parts[0]


def _relative(path: str, specifier: str, tree: Tree) -> tuple[str, ...]:
    folder = path.rpartition("/")[0]
    target = nodefiles.normal(folder, specifier.partition("?")[0])
    if target is None:
        return ()
    if not target:
        return _own("", tree)
    found = nodefiles.find(tree, target)
    return (found,) if found is not None else ()


def _own(rest: str, tree: Tree) -> tuple[str, ...]:
    """Return what the package's own name (and a path below it) loads, under any condition."""
    package = document.package(tree)
    if package.get("exports") is not None:
        return tuple(dict.fromkeys(exports.lookup(package["exports"], f"./{rest}" if rest else ".", tree)))
    main = package.get("main")
    for target in (rest,) if rest else (main, "index"):
        path = nodefiles.normal("", target) if isinstance(target, str) else None
        found = nodefiles.find(tree, path) if path is not None else None
        if found is not None:
            return (found,)
    return ()


def _bundled(path: str, specifier: str, tree: Tree) -> tuple[str, ...]:
    """Return the file of a bundled dependency: the nearest ``node_modules`` upwards, as Node looks."""
    name = imported_name(specifier)
    if name is None:
        return ()
    folder = path.rpartition("/")[0]
    while True:
        prefix = f"{folder}/node_modules/" if folder else "node_modules/"
        found = nodefiles.find(tree, prefix + specifier)
        if found is not None:
            return (found,)
        if not folder:
            return ()
        folder = folder.rpartition("/")[0]
