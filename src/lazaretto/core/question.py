"""Small pure questions that several detectors ask in the same words.

Nothing here decides anything: a detector chooses the question, the weight table says what an answer counts.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping

from msgspec import Struct, json

from lazaretto.core.destination import transfers
from lazaretto.core.facts import Fact, Flow, Kind, Moment, Reach, Span
from lazaretto.core.finding import Card, Evidence, Finding
from lazaretto.core.manifest import Hook
from lazaretto.core.model import Dependency, DependencyGroup
from lazaretto.core.tree import Tree
from lazaretto.core.update import ArtifactView, Edge, Pair, Placed, Update

MAX_EVIDENCE = 5
"""Most places that one finding shows."""

MAX_DECODED = 20
"""Most decoded values that one finding adds for the file that it names."""

MAX_TOLD = 3
"""Most values that a message spells out."""

MAX_CHAINS = 5_000
"""Most chains of flows that are followed in one file."""

AUTORUN = frozenset({Reach.INSTALL, Reach.IMPORT})
"""Reaches at which code runs although nobody calls it."""

INSTALLED = frozenset({DependencyGroup.RUNTIME, DependencyGroup.OPTIONAL, DependencyGroup.PEER, DependencyGroup.BUILD})
"""Dependency groups that a client installs without being asked."""

ACTS = frozenset(
    {
        Kind.PROCESS_SPAWN, Kind.CODE_EVAL, Kind.NET_CONNECT, Kind.DNS_QUERY, Kind.FS_DELETE, Kind.FS_SELF_DELETE,
        Kind.SECRET_READ, Kind.ENV_DUMP, Kind.PERSIST, Kind.RUNTIME_FETCH, Kind.DECRYPT, Kind.OBFUSCATED,
    }
)  # fmt: skip
"""Kinds of facts with which code does more than compute and print."""

ORDER: Mapping[Reach, int] = {reach: rank for rank, reach in enumerate(Reach)}
"""Rank of a reach: the smaller, the less it takes."""

_HOLES = frozenset("*{")  # what stands in a command line for a part that is not known
_OF_COMMANDS = (Kind.PROCESS_SPAWN, Kind.SECRET_READ, Kind.NET_CONNECT)

_HIDING = (
    "base", "ascii85", "hex", "uu", "quopri", "xor", "reverse", "rot", "caesar", "char", "chr", "translate", "table",
    "string-array", "unescape", "unicode_escape", "zlib", "gzip", "bz2", "lzma", "brotli", "inflate", "marshal",
    "decrypt", "file", "split-files", "int-bytes",
)  # fmt: skip
"""How the steps begin that turn something unreadable into a value (``concat`` or ``join`` only put it together)."""

_TESTS = frozenset({"test", "tests", "testing", "__tests__", "spec", "fixtures", "examples", "docs", "benchmarks"})
_ABOUT = ("license", "licence", "changelog", "readme", "notice", "authors")
_DOCUMENTS = (".md", ".markdown", ".txt", ".rst", ".adoc", ".html", ".css", ".map", ".license")


def runs_by_itself(placed: Placed) -> bool:
    """Whether the place runs because the release is installed or imported."""
    return placed.reach in AUTORUN


def hidden(fact: Fact) -> bool:
    """Whether the value had to be decoded: any step of ``via`` is an encoding, not a mere concatenation."""
    return steps_hide(fact.via)


def steps_hide(via: str) -> bool:
    """Whether any step of a chain is an encoding."""
    return any(step.strip().lower().startswith(_HIDING) for step in via.split(">"))


def layers(fact: Fact) -> int:
    """Return how many different encodings had to be undone for the value, one inside the other."""
    steps = {step.strip().lower() for step in fact.via.split(">")}
    return sum(step.startswith(_HIDING) for step in steps)


def runs_when_loaded(placed: Placed) -> bool:
    """Whether the place runs when a command is typed or a module of the package is imported by its own name."""
    importable = placed.reach is Reach.CALL or (placed.reach is Reach.UNREACHED and placed.path.endswith(".py"))
    return importable and placed.fact.moment is Moment.LOAD and not in_tests(placed.path)


def in_tests(path: str) -> bool:
    """Whether a file stands in a folder of tests, examples or documentation, by any word of the folder's name."""
    return not _TESTS.isdisjoint(path.lower().rpartition("/")[0].replace(" ", "/").split("/"))


def is_document(path: str) -> bool:
    """Whether a file is read by people and never run."""
    name = path.rsplit("/", 1)[-1].lower()
    return name.endswith(_DOCUMENTS) or name.startswith(_ABOUT)


def shown(value: str | None, limit: int = 80) -> str:
    """Return a value on one line, cut to ``limit`` characters, for a message."""
    text = " ".join((value or "").split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def package_json(version: str, **fields: object) -> str:
    """Return the text of a small package.json, one key a line, for the examples of detectors."""
    document = {"name": "example-package", "version": version, "main": "index.js", **fields}
    return json.format(json.encode(document), indent=2).decode() + "\n"


class Tally:
    """Collects answers under variants; gives one finding for each variant, in the order of the card."""

    def __init__(self, card: Card) -> None:
        """Collect for this detector."""
        self._card = card
        self._told: dict[str, dict[str, None]] = {}
        self._places: dict[str, list[Evidence]] = {}
        self._extra: dict[str, list[Evidence]] = {}

    def add(self, variant: str, pair: Pair, *places: Placed) -> None:
        """Put facts under a variant."""
        for placed in places:
            value = shown(placed.fact.value)
            told = f"{value} in {placed.path}" if value else placed.path
            full = len(self._places.get(variant, ())) >= MAX_EVIDENCE
            self.say(variant, told, *(() if full else (pair.evidence(placed),)))

    def say(self, variant: str, told: str, *evidence: Evidence) -> None:
        """Put an answer that is no fact under a variant: the words for the message, and the places."""
        self._told.setdefault(variant, {}).setdefault(told)
        known = self._places.setdefault(variant, [])
        known += [one for one in evidence if one not in known and len(known) < MAX_EVIDENCE]

    def explain(self, variant: str, evidence: Iterable[Evidence]) -> None:
        """Add values that were hidden in a place already named: up to ``MAX_DECODED`` more evidence."""
        known = self._extra.setdefault(variant, [])
        known += [one for one in evidence if one not in known and len(known) < MAX_DECODED]

    def findings(self, messages: Mapping[str, str]) -> Iterator[Finding]:
        """Yield a finding for each variant that has an answer. ``messages`` continue the words *this update*."""
        for variant in self._card.variants:
            if variant not in self._told:
                continue
            told = list(self._told[variant])
            more = f" and {len(told) - MAX_TOLD} more" if len(told) > MAX_TOLD else ""
            places = self._places[variant]
            extra = [one for one in self._extra.get(variant, ()) if one not in places]
            yield Finding(
                detector=self._card.id,
                variant=variant,
                message=f"This update {messages[variant]}: {', '.join(told[:MAX_TOLD])}{more}",
                evidence=(*places, *extra),
            )


def decoded(pair: Pair, path: str) -> tuple[Evidence, ...]:
    """Return up to ``MAX_DECODED`` distinct values that were hidden in a file, so that a reader sees them."""
    values: dict[str, Placed] = {}
    for placed in () if path in pair.after.decoded else pair.after.placed:
        if placed.path == path and placed.fact.value and (placed.fact.kind is Kind.DECODE or hidden(placed.fact)):
            values.setdefault(placed.fact.value, placed)
    return tuple(map(pair.evidence, pair.after.decoded.setdefault(path, tuple(values.values())[:MAX_DECODED])))


class Chain(Struct, frozen=True):
    """What one file leads from ``source`` to ``sink``; ``data`` if the value was followed all the way.

    ``straight`` says that nothing (a file that is written) stands between them, ``command`` that a started command
    carries the value. ``reach`` is that of the sink: the chain is complete only when its end runs.
    """

    source: Placed
    sink: Placed
    data: bool
    straight: bool = False
    command: bool = False

    @property
    def kinds(self) -> tuple[Kind, Kind]:
        """What is compared with the earlier release."""
        return (self.source.fact.kind, self.sink.fact.kind)

    @property
    def key(self) -> tuple[Kind, str | None, Kind, str | None]:
        """What makes two chains the same."""
        return (self.source.fact.kind, self.source.fact.value, self.sink.fact.kind, self.sink.fact.value)

    @property
    def reach(self) -> Reach:
        """When the chain runs."""
        return self.sink.reach


def chains(view: ArtifactView, sources: Collection[Kind], sinks: Collection[Kind]) -> Iterator[Chain]:
    """Yield every chain of flows from a source kind to a sink kind, file by file, in path order."""
    found = {
        path: ends
        for path in sorted(view.facts)
        if view.facts[path].flows
        and (ends := list(_ends(view.facts[path].facts, view.facts[path].flows, sources, sinks)))
    }
    reaches = {(p.path, p.fact): p.reach for p in view.placed if p.path in found} if found else {}
    for path, ends in found.items():
        for end in ends:
            yield Chain(
                source=Placed(path=path, fact=end.source, reach=reaches.get((path, end.source), Reach.UNREACHED)),
                sink=Placed(path=path, fact=end.sink, reach=reaches.get((path, end.sink), Reach.UNREACHED)),
                data=end.data,
                straight=end.straight,
                command=end.command,
            )
    for one in view.crossings:
        if one.source.fact.kind in sources and one.sink.fact.kind in sinks:
            yield Chain(one.source, one.sink, data=True)
    if Kind.SECRET_READ in sources and Kind.NET_CONNECT in sinks:
        yield from _uploads(view)


class _End(Struct, frozen=True):
    """A chain before it is known when its ends run."""

    source: Fact
    sink: Fact
    data: bool
    straight: bool
    command: bool


def _uploads(view: ArtifactView) -> Iterator[Chain]:
    """Yield what a command line itself reads and sends: all its facts stand at one place, without a flow."""
    lines: dict[tuple[str, Span], list[Placed]] = {}
    for placed in view.placed:
        if placed.fact.kind in _OF_COMMANDS:
            lines.setdefault((placed.path, placed.fact.span), []).append(placed)
    for line in lines.values():
        if not any(one.fact.kind is Kind.PROCESS_SPAWN and transfers(one.fact.value) for one in line):
            continue
        for source in line:
            sinks = [one for one in line if one.fact.kind is Kind.NET_CONNECT]
            if source.fact.kind is Kind.SECRET_READ:
                yield from (Chain(source, sink, data=True, straight=True, command=True) for sink in sinks)


def _ends(
    facts: tuple[Fact, ...], flows: tuple[Flow, ...], sources: Collection[Kind], sinks: Collection[Kind]
) -> Iterator[_End]:
    """Walk the flows of one file, each fact once per source; a value that was followed comes before a guess.

    What flows into a command flows to where the command connects: both facts stand at the place of one call. The
    environment as a whole counts only where it is a part of the line, since every command inherits it.
    """
    places: dict[Span, list[int]] = {}
    for number, fact in enumerate(facts):
        if fact.kind in sinks:
            places.setdefault(fact.span, []).append(number)
    followed: dict[int, list[int]] = {}
    guessed: dict[int, list[int]] = {}
    for flow in flows:
        if flow.source < len(facts) and flow.sink < len(facts):
            (followed if flow.how == "data" else guessed).setdefault(flow.source, []).append(flow.sink)
    found = 0
    for start in sorted(followed.keys() | guessed.keys()):
        if facts[start].kind not in sources:
            continue
        seen = {start}
        # Things that merely stand together are no chain: only the first step may be a guess.
        for data, first in ((True, followed.get(start, ())), (False, guessed.get(start, ()))):
            queue = sorted(first)
            for at in queue:
                if at in seen:
                    continue
                seen.add(at)
                queue += sorted(followed.get(at, ()))
                told = facts[start].kind is not Kind.ENV_DUMP or not _HOLES.isdisjoint(facts[at].value or "")
                command = data and told and facts[at].kind is Kind.PROCESS_SPAWN
                reached = [one for one in places.get(facts[at].span, ()) if one not in seen] if command else []
                seen.update(reached)
                for end in [at, *reached] if facts[at].kind in sinks else reached:
                    straight = data and at in followed.get(start, ())
                    yield _End(facts[start], facts[end], data, straight, command)
                    found += 1
                    if found >= MAX_CHAINS:
                        return


def new_chains(pair: Pair, sources: Collection[Kind], sinks: Collection[Kind]) -> Iterator[tuple[Chain, bool]]:
    """Yield each chain that the line never had, with whether its *kinds* are new at this reach too.

    At first contact every chain is new.
    """
    known: dict[object, int] = {}
    for chain in chains(pair.before, sources, sinks) if pair.before else ():
        for key in (chain.kinds, chain.key):
            known[key] = min(known.get(key, 9), ORDER[chain.reach])
    for chain in chains(pair.after, sources, sinks):
        if ORDER[chain.reach] < known.get(chain.key, 9):
            yield chain, ORDER[chain.reach] < known.get(chain.kinds, 9)


def hook_place(pair: Pair, hook: Hook) -> Evidence:
    """Return the place of a hook in its manifest, with its command as the value."""
    return span_place(pair, hook.path, hook.span, decoded_value=hook.command, reach=Reach.INSTALL)


def span_place(
    pair: Pair, path: str, span: Span, decoded_value: str | None = None, reach: Reach | None = None
) -> Evidence:
    """Return evidence for a place that is no fact."""
    return Evidence(
        path=path,
        line=span.line,
        column=span.column,
        text=pair.line_text(path, span.line, span.column),
        decoded=decoded_value,
        reach=reach,
        artifact=pair.after.artifact.filename,
    )


def file_place(pair: Pair, path: str, detail: str | None = None) -> Evidence:
    """Return evidence for a file as a whole: its first line, and what is remarkable about it."""
    return span_place(pair, path, Span(1, 0, 0, 0), decoded_value=detail, reach=pair.after.reaches.get(path))


def index_place(update: Update, field: str, text: str) -> Evidence:
    """Return evidence that stands in the registry's index and in no file."""
    return Evidence(path=f"index:{field}", text=shown(f"{update.after.project} {update.after.version}: {text}", 240))


def command_files(command: str, tree: Tree) -> tuple[str, ...]:
    """Return the files of the tree that a command line names, in order; never runs or expands anything."""
    words = "".join(" " if character in "\"'`;|&()<>=,\n\t" else character for character in command).split()
    files: dict[str, None] = {}
    for word in words:
        path = word.replace("\\", "/").removeprefix("./")
        for candidate in (path, f"{path}.js", f"{path}.cjs", f"{path}.mjs", f"{path}/index.js"):
            if candidate in tree:
                files.setdefault(candidate)
                break
    return tuple(files)


def dependency_place(update: Update, dependency: Dependency) -> Evidence:
    """Return where a manifest declares a dependency: the line of its key, or the first line that names it."""
    for pair in update.pairs:
        manifest = pair.after.manifest
        if not any(declared.name == dependency.name for declared in manifest.dependencies):
            continue
        for table in ("dependencies", "optionalDependencies", "peerDependencies"):
            known = manifest.fields.get(f"{table}.{dependency.name}")
            if known is not None:
                return span_place(pair, manifest.path, known[1], decoded_value=dependency.requirement)
        line = _line_naming(pair, manifest.path, str(dependency.name))
        return span_place(pair, manifest.path, Span(line, 0, 0, 0), decoded_value=dependency.requirement)
    return index_place(update, "dependencies", f"{dependency.name} {dependency.requirement}")


def _line_naming(pair: Pair, path: str, name: str) -> int:
    blob = pair.after.tree.get(path)
    wanted = _squeezed(name)
    for number, line in enumerate(blob.data.splitlines() if blob else (), 1):
        text = line.decode("utf-8", "replace")
        if wanted in _squeezed(text) and ("requires" in text.lower() or not path.endswith(("METADATA", "PKG-INFO"))):
            return number
    return 1


def _squeezed(text: str) -> str:
    return text.lower().replace("_", "-").replace(".", "-")


def new_edges(update: Update) -> Iterator[Edge]:
    """Yield the new dependencies that a client installs by itself; none at first contact, where all are new."""
    if not update.first_contact:
        yield from (edge for edge in update.edges if edge.dependency.group in INSTALLED)


_GLOBAL_OBJECT = ("return this", "return globalthis", "return self", "this")


def harmless(fact: Fact) -> bool:
    """Whether an evaluation is the customary way to find the global object and nothing more."""
    return fact.kind is Kind.CODE_EVAL and (fact.value or "").strip(" ;()'\"\n").lower() in _GLOBAL_OBJECT


def only_manifest_changed(pair: Pair) -> bool:
    """Whether both sides have the same files but for the manifest, documents and what a packer generates."""
    if pair.before is None:
        return False
    manifests = {pair.before.manifest.path, pair.after.manifest.path}
    return all(path in manifests or is_document(path) or _is_generated(path) for path in pair.changes)


def _is_generated(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    if folder.endswith((".dist-info", ".egg-info")):
        return name in ("METADATA", "RECORD", "WHEEL", "PKG-INFO", "SOURCES.txt", "requires.txt", "INSTALLER")
    return name in ("PKG-INFO", "npm-shrinkwrap.json", "package-lock.json", "pyproject.toml", "setup.cfg")
