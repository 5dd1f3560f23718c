"""What a command starts, told from its words: tools of a build, an interpreter with code, a program of Windows.

Questions about one command line, and which scripts no command of a release can start; nothing here knows when a
command runs, or who wrote what it starts.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from lazaretto.core.destination import transfers
from lazaretto.core.facts import Kind, Moment, Reach
from lazaretto.core.manifest import EntryRole
from lazaretto.core.model import DependencySource
from lazaretto.core.question import INSTALLED, chains, command_files, hidden
from lazaretto.core.tree import Tree
from lazaretto.core.update import ArtifactView, Placed

_BUILDING = frozenset(
    "git hg svn make gmake nmake ninja cmake meson autoconf automake libtool gcc g++ cc c++ clang clang++ ld ar ranlib "
    "pkg-config pkgconf rustc cargo go swig cython nvcc xcrun xcode-select sw_vers uname lsb_release ldconfig "
    "llvm-config mysql_config pg_config node-gyp node-pre-gyp prebuild-install node-gyp-build cmake-js tsc "
    "install_name_tool patchelf strip which where brew".split()
)
"""Programs that building and releasing start."""

_ASKING = ("--cflags", "--libs", "--prefix", "--includes")
"""How the options begin by which a build asks where a library is."""

_INTERPRETERS = frozenset({"node", "python", "python3", "sh", "bash", "{}"})

_PROBING = frozenset("-E -dM --version -dumpversion -dumpmachine".split())
"""Words by which a build asks a compiler about itself."""

_TRIES = r"-c /tmp/\{\}\.(?:c|cc|cpp|cxx|m|mm|f|f90)(?: [-\w{}./+= ]*)?$"
"""How a compiler is tried: on a source that is written for it and thrown away."""

_CODED = frozenset("python pythonw node bun deno perl ruby php".split())
_SHELLS = frozenset({"powershell", "pwsh"})
_SPOKEN = ("command", "encodedcommand")
"""PowerShell's options that give it code: any beginning of their names will do."""

_UNSEEN = frozenset("pythonw wscript cscript mshta".split())
"""Programs that run a script without a window."""

_BETWEEN = re.compile(r"[;&|\n]+")
"""What stands between the commands of one line."""

_OPEN = ("{", "*", "$")
"""Signs of a name that is only known at run time."""

_BUILD_FILES = (".toml", ".cfg", ".json", ".gyp", ".build", "Makefile", "RECORD")
"""How files end that say what a build runs and carries."""

_PROGRAMS = (".exe", ".scr", ".bat", ".cmd", ".vbs", ".vbe", ".jse", ".wsf", ".hta", ".ps1", ".msi", ".pyw")
_SCRIPTS = (".js", ".cjs", ".mjs", ".py", ".sh")
_OF_WINDOWS = frozenset(
    "cmd powershell pwsh wscript cscript mshta msiexec rundll32 regsvr32 explorer schtasks taskkill tasklist where reg "
    "python pythonw py pip node npm npx git".split()
)
"""Programs that are there already: what a system or a runtime brings."""


def builds(command: str | None) -> bool:
    """Whether a command belongs to building and releasing, or only asks about what is installed."""
    words = (command or "").split()
    asks = any(word.startswith(_ASKING) for word in words[1:])
    if words and words[0].strip("\"'") == "{}":  # a compiler that the environment names
        asks = asks or re.match(_TRIES, " ".join(words[1:])) is not None or not _PROBING.isdisjoint(words[1:])
    return asks or (bool(words) and _program(words[0]) in _BUILDING)


def asks_again(view: ArtifactView, placed: Placed) -> bool:
    """Whether the program of a command is not known where it is written, and each of its calls belongs to building.

    A function that asks ``pkg-config`` under a name from the environment is told once by its own text, as a command
    of which no word is known but what all calls share, and once for each call that was followed.
    """
    fact = placed.fact
    if fact.moment is not Moment.CALL or (fact.value or "?").split()[:1] != ["{}"]:
        return False
    calls = [
        one.fact.value
        for one in view.placed
        if (one.path, one.fact.kind, one.fact.span) == (placed.path, fact.kind, fact.span) and one.fact != fact
    ]
    return bool(calls) and all(map(builds, calls))


def is_own(tree: Tree, command: str | None) -> bool:
    """Whether a command hands a file of the release to an interpreter: what that file does is told by itself."""
    words = (command or "").split()
    if not words or _program(words[0]) not in _INTERPRETERS:
        return False
    return words[1:2] == ["."] or bool(command_files((command or "").replace("{}/", ""), tree))


_LOADS = (
    r"""(?:try\s*\{\s*)?(?:console\.log\(\s*)?require\(\s*(?P<quote>["'])(?P<name>[\w@./-]+)(?P=quote)\s*\)"""
    r"""(?:\.\w+)*\s*\)?\s*;?\s*(?:\}\s*catch\s*(?:\(\s*\w*\s*\))?\s*\{\s*\}\s*;?)?"""
)
"""Code that loads one module, perhaps shows a property of it, perhaps does not mind if it is missing: no call."""

_HANDED = r"""node\s+(?:-e|-p|-pe|--eval|--print)\s+(["']?)(?P<code>[^\n]*)\1"""
_TEXT = r"""'[^'\\]*'|"[^"\\]*\""""
_CALL = r"([\w$.]*)\s*\("
_SAYS = (
    r"if|console\.(?:log|info|warn|error)|process\.exit|Number|parseInt|process\.versions?(?:\.\w+)*\.(?:split|slice)"
)
"""All that code may call which looks at a version, says what it thinks of it, and ends."""

_MORE = r"=>|(?<![=!<>])=(?!=)|\b(?:function|import|new|class|for|while|with)\b"


def is_tame(view: ArtifactView, code: str | None) -> bool:
    """Whether code, or a command that hands code to Node, loads one known thing, or says something, and no more.

    What a file of the release does is told by itself, and a dependency is read as a release of its own: neither is a
    start of something unknown. A module that the release carries in ``node_modules`` is neither, nor is the release's
    own name, by which any of its files can be reached.
    """
    handed = re.fullmatch(_HANDED, (code or "").strip())
    bare = (handed["code"] if handed else code or "").strip()
    if "$" in bare or "`" in bare:  # a shell has put something in its place, or a template does
        return False
    loaded = re.fullmatch(_LOADS, bare)
    if loaded is None:
        text = re.sub(_TEXT, "''", bare)
        calls = re.findall(_CALL, text)
        return bool(calls) and not re.search(_MORE, text) and all(re.fullmatch(_SAYS, call) for call in calls)
    name = loaded["name"]
    if name.startswith("."):
        return bool(command_files(name, view.tree))
    package = "/".join(name.split("/")[: 2 if name.startswith("@") else 1])
    declared = any(
        str(one.name) == package and one.group in INSTALLED and one.source is DependencySource.REGISTRY
        for one in view.manifest.dependencies
    )
    carried = any(path.startswith(f"node_modules/{package}/") for path in view.tree)
    return declared and not carried and ".." not in name and package != view.manifest.name


def starts_tame(view: ArtifactView, placed: Placed) -> bool:
    """Whether a place hands Node, in plain words, code that does nothing of its own."""
    starts = placed.fact.kind in (Kind.PROCESS_SPAWN, Kind.CODE_EVAL)
    return starts and not hidden(placed.fact) and is_tame(view, placed.fact.value)


def starts_known(view: ArtifactView, placed: Placed) -> bool:
    """Whether a command belongs to building, or what it starts is told by itself."""
    command = placed.fact.value
    return builds(command) or is_own(view.tree, command) or is_tame(view, command) or asks_again(view, placed)


_ELSEWHERE = "--target"
"""The option of an installer that puts packages into a folder of their own: what is vendored is not installed."""


def hands_code(command: str | None) -> bool:
    """Whether a command gives an interpreter its code on the spot, a script to run out of sight, or more packages."""
    words = (command or "").split()
    name = _program(words[0]) if words else ""
    inline = name.rstrip("0123456789.") in _CODED and len(words) > 2 and words[1] in ("-c", "-e", "--eval")
    inline = inline or (name in _SHELLS and any(map(_speaks, words[1:])))
    installs = "install" in words and any(_program(word).rstrip("0123456789.") == "pip" for word in words)
    installs = installs and not any(word.startswith(_ELSEWHERE) for word in words)
    return inline or installs or (name in _UNSEEN and len(words) > 1)


def _speaks(word: str) -> bool:
    option = word.lower()
    return option[:1] in ("-", "/") and len(option) > 1 and any(name.startswith(option[1:]) for name in _SPOKEN)


def starts(command: str | None, name: str) -> bool:
    """Whether a command line starts a file of this name, or has it interpreted; what only fetches it starts nothing."""
    return any(_starts(part, name) for part in _BETWEEN.split(command or ""))


def _starts(command: str, name: str) -> bool:
    words = [word.strip("\"'()").replace("\\", "/").rpartition("/")[2] for word in command.split()]
    if words[:1] == [name]:
        return True
    return name in words and not transfers(command) and is_program(command, scripts=True)


def is_program(command: str | None, *, scripts: bool) -> bool:
    """Whether a command starts, by the ending of its name, a program that no system brings, or (if asked) a script."""
    words = [] if builds(command) else (command or "").split()
    script = words[1:2] if words and _program(words[0]) in _INTERPRETERS - {"{}"} else words[:1]
    if scripts and any(word.lower().endswith(_SCRIPTS) for word in script):
        return True
    named = (
        word
        for before, word in pairwise(["", *words])
        if word.strip("\"';&").lower().endswith(_PROGRAMS) and not (before[:2] == "--" and before.endswith("-tool"))
    )
    return any(_program(word) not in _OF_WINDOWS for word in named)


def unpacks(command: str | None) -> bool:
    """Whether one command line fetches a file and makes a program of it."""
    words = (command or "").lower().split()
    at = words.index("chmod") if "chmod" in words else len(words)
    return at + 1 < len(words) and words[at + 1].endswith(("x", "755", "777", "700")) and transfers(command)


def fetched_and_started(view: ArtifactView) -> Iterator[tuple[Placed, Placed]]:
    """Yield where a file is fetched and where the same file starts it, by the name that it was given.

    Two commands, or two functions, share nothing else that could be followed: not a value, but a name on the disk.
    """
    commands: dict[str, list[Placed]] = {}
    for one in view.placed:
        if one.fact.kind is Kind.PROCESS_SPAWN and one.fact.value:
            commands.setdefault(one.path, []).append(one)
    for chain in chains(view, (Kind.NET_CONNECT,), (Kind.FS_WRITE,)) if commands else ():
        name = (chain.sink.fact.value or "").replace("\\", "/").rpartition("/")[2]
        if chain.data and "." in name and not any(sign in name for sign in _OPEN):
            for command in commands.get(chain.sink.path, ()):
                if starts(command.fact.value, name):
                    yield chain.source, command


def typed(view: ArtifactView, modules: tuple[str, ...]) -> frozenset[str]:
    """Return the programs that a typed command starts: what connects then does what its user asked for.

    A module of Python is imported by its name besides.
    """
    entries = (one.path for one in view.manifest.entries if one.role is EntryRole.COMMAND)
    return frozenset(path for path in entries if path.endswith(modules) and not path.endswith(".py"))


def left_lying(view: ArtifactView, modules: tuple[str, ...]) -> frozenset[str]:
    """Return the scripts in other languages than the ecosystem's that nothing in a release can start.

    None of its code and none of what its build reads names them, in whole or put together, and every command that it
    starts is known: what a maintainer's script does is done on the maintainer's machine.
    """
    lying = {
        path
        for path, facts in view.facts.items()
        if facts.facts and not path.endswith(modules) and view.reaches.get(path, Reach.UNREACHED) is Reach.UNREACHED
    }
    told = [one.fact for one in view.placed if one.path not in lying] if lying else []
    if any(fact.kind is Kind.PROCESS_SPAWN and "{}" in (fact.value or "{}") for fact in told):
        return frozenset()
    values = "\n".join(fact.value for fact in told if fact.value)
    texts = [b.data for p, b in view.tree.files.items() if p not in lying and p.endswith((*modules, *_BUILD_FILES))]
    return frozenset(
        path
        for path in lying
        if (name := path.rpartition("/")[2]) not in values and not any(name.encode() in text for text in texts)
    )


def _program(word: str) -> str:
    return word.replace("\\", "/").rpartition("/")[2].lower().removesuffix(".exe").strip("\"'")
