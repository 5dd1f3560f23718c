"""What matters among much that does not, in documents, settings and binaries: however much stands in front of it.

A reader has bounds. Whoever knows them can fill them with things of no interest, so that what follows is not looked at
any more: each of these hides one act behind up to thousands of others, or behind many bytes. It is told, or the file
is told as not understood.
"""

import bz2
import gzip
import io
import json
import lzma
import struct
import zipfile
from base64 import b64encode
from collections.abc import Callable

import pytest

from lazaretto.core.facts import Facts, Kind
from lazaretto.languages import _carried, _notebooks, _pages, cython, tooling, workspace
from tests.languages import programs
from tests.languages.test_binary import JPEG, PNG
from tests.languages.test_inner import read
from tests.languages.test_pyc import compiled

FEW = (0, 1, 20)
MANY = (300, 6000)
MIB = 1024 * 1024

Shape = tuple[str, Callable[[int], str | bytes]]

SCRIPT = "require('child_process').exec('marked --now')"
QUOTED = SCRIPT.replace("'", "&#39;")
BARE = SCRIPT.replace(" ", "").replace("'", "`")
PYTHON = "import os;os.system('marked --now')"
ADDRESS = "https://marked.invalid/x"
PICKLED = b"cos\nsystem\nX\x0c\0\0\0marked --now\x85R."


def times(count: int, part: str, joint: str = "") -> str:
    """Return a text so many times; ``#`` is the number of each."""
    return joint.join(part.replace("#", str(number)) for number in range(count))


def base64(text: str) -> str:
    """Return a text in base64."""
    return b64encode(text.encode()).decode()


def written(shape: Shape, count: int) -> Facts:
    """Write the file of a shape with so many things of no interest in it, and read it."""
    path, write = shape
    data = write(count)
    return read(path, data.encode() if isinstance(data, str) else data)


def is_told(facts: Facts) -> bool:
    """Whether the act is told: the command with its name, or what is named beside it."""
    acts = (Kind.PROCESS_SPAWN, Kind.LITERAL_URL, Kind.LITERAL_IP, Kind.LITERAL_COMMAND, Kind.LITERAL_PATH, Kind.IMPORT)
    return any(
        fact.kind in acts and any(mark in f"{fact.value} {fact.via}" for mark in ("marked", "203.0.113.9", "os.system"))
        for fact in facts.facts
    )


def notebook(cells: list[str]) -> str:
    """Return a notebook with these cells."""
    return json.dumps({"nbformat": 4, "metadata": {}, "cells": [{"cell_type": "code", "source": x} for x in cells]})


def document(values: list[str]) -> str:
    """Return a document with these values, the last of which acts."""
    return json.dumps([*values, f"{SCRIPT};{' ' * 60}"])


def dull_value(number: int) -> str:
    """Return code that is worth a look, and does little."""
    return f"fetch('https://h{number}.invalid/a/b/c'); const a = () => {{ return {number}; }}; module.exports = a;"


def archive(count: int, content: bytes = b"let a = 1;\n") -> bytes:
    """Return a zip of so many files, and one behind them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as opened:
        for number in range(count):
            opened.writestr(f"a{number}.js", content)
        opened.writestr("z.js", SCRIPT)
    return out.getvalue()


def page_in_page(count: int) -> str:
    """Return a page in an address of a page, and so on."""
    page = f"<script>{SCRIPT}</script>"
    for _ in range(min(count, 8)):
        page = f'<iframe src="data:text/html;base64,{base64(page)}"></iframe>'
    return page


def pickled(dull: bytes) -> bytes:
    """Return a pickle that does this before it starts a program."""
    return b"\x80\x02" + dull + PICKLED


def pickled_text(module: bytes, name: bytes, text: str) -> bytes:
    """Return a pickle that calls a function with a text."""
    length = struct.pack("<I", len(text))
    return b"\x80\x02c" + module + b"\n" + name + b"\nX" + length + text.encode() + b"\x85R."


def library(texts: str, act: str = ADDRESS) -> bytes:
    """Return a library of ELF with these texts, and one behind them."""
    return programs.elf(texts=f"\0{texts}{act}\0".encode())


def long_page(count: int) -> str:
    """Return a page whose only address holds a page with so many calls."""
    page = base64("<script>" + times(count, "a#();") + SCRIPT + "</script>")
    return f'<a href="data:text/html;base64,{page}">'


def module(texts: str) -> bytes:
    """Return compiled Python with a list of texts, and one behind them."""
    return compiled(f"x=[{texts}]\ny='{ADDRESS}'")


PAGES: dict[str, Shape] = {
    "scripts": ("a.html", lambda n: times(n, "<script>let a#=#;</script>\n") + f"<script>{SCRIPT}</script>"),
    "event attributes": ("a.html", lambda n: times(n, "<a onclick='a#()'>") + f'<a onclick="{SCRIPT}">'),
    "events with references": (
        "a.html",
        lambda n: times(n, "<a onclick='a(&quot;#&quot;)'>") + f'<a onclick="{QUOTED}">',
    ),
    "addresses with data": (
        "a.html",
        lambda n: times(n, "<a href='data:text/javascript,a(#)'>") + f"<a href='data:text/javascript,{QUOTED}'>",
    ),
    "attributes of one script": ("a.html", lambda n: f"<script {times(n, 'd#=1 ')}>{SCRIPT}</script>"),
    "calls in one attribute": ("a.html", lambda n: f'<a onclick="{times(n, "a#();")}{SCRIPT}">'),
    "calls in one bare attribute": (
        "a.html",
        lambda n: f"<a onclick={times(n, 'a#();')}{BARE}>",
    ),
    "calls in one address": ("a.html", lambda n: f'<a href="javascript:{times(n, "a#();")}{SCRIPT}">'),
    "a long page in an address": (
        "a.html",
        long_page,
    ),
    "pages within pages": ("a.html", page_in_page),
    "addresses of scripts": (
        "a.html",
        lambda n: times(n, "<script src='https://h#.invalid/'></script>") + f"<script src='{ADDRESS}'></script>",
    ),
    "requests": ("a.html", lambda n: "<script>" + times(n, "fetch('https://h#.invalid/');") + SCRIPT + "</script>"),
}  # fmt: skip
DOCUMENTS: dict[str, Shape] = {
    "cells": ("a.ipynb", lambda n: notebook([*(f"a{x}=1" for x in range(n)), PYTHON])),
    "empty cells": ("a.ipynb", lambda n: notebook([*("" for _ in range(n)), PYTHON])),
    "commands of cells": ("a.ipynb", lambda n: notebook([*(f"!ls a{x}" for x in range(n)), "!marked --now"])),
    "scripts of cells": (
        "a.ipynb",
        lambda n: notebook([*(f"%%bash\nls a{x}" for x in range(n)), "%%bash\nmarked --now"]),
    ),
    "calls of cells": ("a.ipynb", lambda n: notebook([*(f"open('f{x}','w')" for x in range(2 * n)), PYTHON])),
    "numbers that are none": (
        "a.ipynb",
        lambda n: notebook([PYTHON]).replace('"metadata": {}', f'"a": [{times(n + 1, "NaN", ",")}]'),
    ),
    "values": ("a.json", lambda n: document([dull_value(x) for x in range(n)])),
    "encoded values": (
        "a.json",
        lambda n: json.dumps([base64(dull_value(x)) for x in range(n)] + [base64(SCRIPT + " " * 60)]),
    ),
    "values of a map": ("a.map", lambda n: json.dumps({"x": [*(dull_value(x) for x in range(n)), SCRIPT + " " * 60]})),
    "a comment before code": ("a.json", lambda n: document([]).replace("require", f"/*{'x ' * n}*/require")),
}
ARCHIVES: dict[str, Shape] = {
    "streams of gzip": (
        "a.gz",
        lambda n: b"".join(gzip.compress(b"let a=%d;\n" % x, 1) for x in range(n)) + gzip.compress(SCRIPT.encode()),
    ),
    "streams of bzip2": (
        "a.bz2",
        lambda n: bz2.compress(b"let a=1;\n") * n + bz2.compress(SCRIPT.encode()),
    ),
    "streams of xz": ("a.xz", lambda n: lzma.compress(b"let a=1;\n") * n + lzma.compress(SCRIPT.encode())),
    "members": ("a.zip", archive),
    "members of one for tests": ("tests/a.zip", archive),
    "a comment before code": ("a.gz", lambda n: gzip.compress(f"# {'x ' * n}\n{SCRIPT}".encode())),
    "zeros before code": ("a.png", lambda n: PNG + bytes(n) + SCRIPT.encode()),
    "pictures": ("a.jpg", lambda n: JPEG * (n + 1) + SCRIPT.encode()),
}
SETTINGS: dict[str, Shape] = {
    "conditions of a build": (
        "binding.gyp",
        lambda n: "{'conditions':[" + times(n, "['OS==\"l#\"',{}],") + "],'x':'<!(marked --now)'}",
    ),
    "commands of a build": ("binding.gyp", lambda n: "{'x':[" + times(n, "'<!(ls a#)',") + "'<!(marked --now)']}"),
    "steps of one command": ("binding.gyp", lambda n: "{'x':'<!(" + "true;" * n + "marked --now)'}"),
    "names in a build": (
        "binding.gyp",
        lambda n: "{" + times(n, "'a#':x#,\n") + "'z':__import__('os').system('marked --now')}",
    ),
    "tests of one condition": (
        "binding.gyp",
        lambda n: "{'conditions':[['" + times(n, "x#==1 or ") + '__import__("os").system("marked --now")\',{}]]}',
    ),
    "commands within commands": ("binding.gyp", lambda n: "{'x':'" + "<!(" * n + "','y':'<!(marked --now)'}"),
    "aliases": (".gitconfig", lambda n: "[alias]\n" + times(n, "a# = !ls a#\n") + "[core]\nfsmonitor = marked --now"),
    "steps of an alias": (".gitconfig", lambda n: "[core]\nfsmonitor = " + "true;" * n + "marked --now"),
    "a long name": (".gitconfig", lambda n: f'[filter "{"x" * n}y"]\nclean = marked --now'),
    "comments": (".gitconfig", lambda n: "# comment\n" * n + "[core]\nfsmonitor = marked --now"),
    "hooks": ("mise.toml", lambda n: "[hooks]\nenter=[" + times(n, "'ls a#',") + "'marked --now']"),
    "preloads": ("bunfig.toml", lambda n: "preload=[" + times(n, "'./a#.js',") + "'./marked.js']"),
    "registries": ("pnpm-workspace.yaml", lambda n: times(n, "registry: https://h#.invalid\n") + "scriptShell: marked"),
    "tasks": (
        ".vscode/tasks.json",
        lambda n: json.dumps({"tasks": [*({"command": f"ls a{x}"} for x in range(n)), {"command": "marked --now"}]}),
    ),
    "steps of a task": (".vscode/tasks.json", lambda n: json.dumps({"command": "true;" * n + "marked --now"})),
    "levels": (".vscode/tasks.json", lambda n: '{"x":' * n + '{"command":"marked --now"}' + "}" * n),
    "levels beside": (
        ".vscode/tasks.json",
        lambda n: '{"x":[' + "[" * n + "]" * n + '],"command":"marked --now"}',
    ),
    "a comment": (".vscode/tasks.json", lambda n: "/*" + "x " * n + '*/{"command":"marked --now"}'),
    "plug-ins": (".yarnrc.yml", lambda n: times(n, "yarnPath: a#\n") + "npmRegistryServer: https://marked.invalid"),
    "scripts of a project": (
        "pyproject.toml",
        lambda n: "[project.scripts]\n" + times(n, "a#='m:f'\n") + "[tool.setuptools.cmdclass]\nx='marked.m.C'",
    ),
    "steps of a backend": (
        "pyproject.toml",
        lambda n: f'[tool.setuptools_scm]\ngit_describe_command="{"true;" * n}marked --now"',
    ),
    "paths of a start-up file": ("a.pth", lambda n: times(n, "p#\n") + PYTHON.replace(";", "; ")),
    "comments of a start-up file": ("a.pth", lambda n: "# c\n" * n + PYTHON.replace(";", "; ")),
}
CYTHON: dict[str, Shape] = {
    "variables": ("a.pyx", lambda n: "import os\n" + times(n, "cdef int a#=1\n") + "os.system('marked --now')\n"),
    "arguments": (
        "a.pyx",
        lambda n: f"import os\ncdef int f({times(n, 'int a#, ')}int z):\n    os.system('marked --now')\n",
    ),
    "defaults in brackets": (
        "a.pyx",
        lambda n: f"import os\ncdef int f({times(n, 'int a#=(1), ')}int z):\n    os.system('marked --now')\n",
    ),
    "a long type": (
        "a.pyx",
        lambda n: f"import os\ncdef {'unsigned ' * n}int f(int z):\n    os.system('marked --now')\n",
    ),
    "declarations of others": (
        "a.pyx",
        lambda n: (
            'cdef extern from "stdlib.h":\n    ' + times(n, "int remove(char*x); ")
            + "int system(char* x)\nsystem('marked --now')\n"
        ),
    ),
    "borrowed names": (
        "a.pyx",
        lambda n: f"from libc.stdlib cimport {times(n, 'a#, ')}system as run\nrun('marked --now')\n",
    ),
    "a path": ("a.pyx", lambda n: f'include "{"./" * min(n, 300)}marked.pxi"\n'),
}  # fmt: skip
PROGRAMS: dict[str, Shape] = {
    "addresses": ("a.so", lambda n: library(times(n, "https://h#.invalid/\0"))),
    "the same address": ("a.so", lambda n: library(times(n, "https://h.invalid/\0"))),
    "hosts": (
        "a.so",
        lambda n: library("".join(f"10.{x // 250}.{x % 250}.7:80\0" for x in range(n)), "203.0.113.9:80"),
    ),
    "commands": ("a.so", lambda n: library(times(n, "chmod +x a#\0"), "chmod +x marked")),
    "paths": ("a.so", lambda n: library(times(n, "/home/u#/.aws/config\0"), "/marked/.aws/credentials")),
    "addresses of WebAssembly": (
        "a.wasm",
        lambda n: programs.wasm(("\0" + times(n, "https://h#.invalid/\0") + ADDRESS + "\0").encode()),
    ),
    "addresses of bytecode": (
        "a.dex",
        lambda n: b"dex\n035\0" + (times(n, "https://h#.invalid/\0") + ADDRESS + "\0").encode(),
    ),
    "programs": ("a.dylib", lambda n: programs.fat(*[programs.macho()] * min(n + 1, 200)) + ADDRESS.encode()),
    "constants": ("a.pyc", lambda n: module(times(n, "'c# #',"))),
    "addresses of a module": (
        "a.pyc",
        lambda n: module(times(n, "'https://h#.invalid/',")),
    ),
    "imports": ("a.pyc", lambda n: compiled(times(n, "import m#\n") + "import os\nos.system('x')")),
    "functions": (
        "a.pyc",
        lambda n: compiled(
            "import os\n" + times(n, "def f#():\n return 'https://h#.invalid/'\n") + "def z():\n os.system('x')"
        ),
    ),
    "names of a pickle": ("a.pkl", lambda n: pickled(times(n, "cm#\nx\n0").encode())),
    "calls of a pickle": ("a.pkl", lambda n: pickled(b"".join(b"cos\nsystem\nV%d\n\x85R0" % x for x in range(n)))),
    "the stack of a pickle": (
        "a.pkl",
        lambda n: b"\x80\x02" + PICKLED[:-2] + b"N" * (20 * n) + b"0" * (20 * n) + b"R.",
    ),
    "words of a pickle": (
        "a.pkl",
        lambda n: b"\x80\x02csubprocess\nrun\n(X\2\0\0\0shX\2\0\0\0-e" + b"X\2\0\0\0-x" * n
        + b"X\2\0\0\0-cX\x0c\0\0\0marked --nowl\x85R.",
    ),
    "steps of a pickle's command": ("a.pkl", lambda n: pickled_text(b"os", b"system", "true;" * n + "marked --now")),
    "lines of a pickle's code": ("a.pkl", lambda n: pickled_text(b"builtins", b"exec", "a=1\n" * n + PYTHON)),
}  # fmt: skip
SHAPES = {
    f"{where}: {what}": shape
    for where, shapes in (
        ("page", PAGES), ("document", DOCUMENTS), ("archive", ARCHIVES), ("settings", SETTINGS), ("cython", CYTHON),
        ("program", PROGRAMS),
    )
    for what, shape in shapes.items()
}  # fmt: skip
NESTED = frozenset({"page: pages within pages", "settings: commands within commands", "program: programs"})
"""Those of which twenty are more than any honest file has."""


@pytest.mark.parametrize("count", FEW)
@pytest.mark.parametrize("what", SHAPES)
def test_the_act_among_few(what: str, count: int) -> None:
    """Among a few things it is told, and that is all there is to tell."""
    facts = written(SHAPES[what], 1 if what in NESTED else count)

    assert is_told(facts)
    assert facts.complete or what in NESTED


@pytest.mark.parametrize("count", MANY)
@pytest.mark.parametrize("what", SHAPES)
def test_the_act_among_many(what: str, count: int) -> None:
    """However many there are: it is told, or that not all was read."""
    facts = written(SHAPES[what], count)

    assert facts.problems or is_told(facts)


LARGE: dict[str, Shape] = {
    "page": ("a.html", lambda n: "<p>x</p>\n" * (n // 9) + f"<script>{SCRIPT}</script>"),
    "notebook": ("a.ipynb", lambda n: notebook([f"#{'x' * n}", PYTHON])),
    "document": ("a.json", lambda n: document(["x" * n])),
    "fixture": ("tests/a.json", lambda n: document(["x" * n])),
    "map": ("a.map", lambda n: document(["x" * n])),
    "files of an archive": ("a.zip", lambda n: archive(n // (16 * MIB), bytes(16 * MIB))),
    "files of one for tests": ("tests/a.zip", lambda n: archive(n // (16 * MIB), bytes(16 * MIB))),
    "zeros behind a picture": ("a.png", lambda n: PNG + bytes(n) + SCRIPT.encode()),
    "a comment behind a picture": ("a.png", lambda n: PNG + b"/*" + b"x" * n + b"*/" + SCRIPT.encode()),
    "bytecode": ("a.dex", lambda n: b"dex\n035\0" + bytes(n) + ADDRESS.encode()),
    "library": ("a.so", lambda n: library("\0" * n)),
    "library at an edge": ("a.so", lambda n: library("\0" * (n - 500))),
    "settings of git": (".gitconfig", lambda n: f"#{'x' * n}\n[core]\nfsmonitor = marked --now"),
    "hook": (".git/hooks/post-checkout", lambda n: f"#!/bin/sh\n#{'x' * n}\nmarked --now\n"),
    "tasks": (".vscode/tasks.json", lambda n: f'{{"a":"{"x" * n}","command":"marked --now"}}'),
    "settings of npm": (".npmrc", lambda n: f"#{'x' * n}\nscript-shell=marked --now\n"),
    "cython": ("a.pyx", lambda n: f"#{'x' * n}\nimport os\nos.system('marked --now')\n"),
}


@pytest.mark.parametrize("size", [300_000, 3 * MIB, 17 * MIB, 65 * MIB])
@pytest.mark.parametrize("what", LARGE)
def test_the_act_behind_many_bytes(what: str, size: int) -> None:
    """However long the file is: it is told, or that not all was read."""
    facts = written(LARGE[what], size)

    assert facts.problems or is_told(facts)


def test_what_an_honest_file_may_be() -> None:
    """These sizes are met in releases: they are no problem."""
    for what, size in (("page", 5 * MIB), ("notebook", 5 * MIB), ("document", 20 * MIB), ("map", 20 * MIB)):
        assert written(LARGE[what], size).complete

    assert _pages.MAX_PAGE >= 16 * MIB
    assert min(_carried.MAX_DOCUMENT, _notebooks.MAX_NOTEBOOK) >= 64 * MIB
    assert min(tooling.MAX_TOOL_SETTINGS, workspace.MAX_SETTINGS) >= MIB
    assert cython.MAX_SOURCE >= 8 * MIB


def test_names_of_one_module_in_a_pickle() -> None:
    """Each name is told: one of no interest does not stand for another of the same module."""
    facts = read("a.pkl", b"\x80\x02cos\ngetcwd\n0cos\nsystem\n.")

    assert {fact.via for fact in facts.facts if fact.kind is Kind.IMPORT} == {"name:getcwd", "name:system"}


def test_programs_that_look_like_a_class() -> None:
    """A universal file of so many programs that its head could be that of a class of Java is one all the same."""
    facts = read("a.dylib", programs.fat(*[programs.macho()] * 52))

    assert "macho" in [fact.value for fact in facts.facts]
    assert facts.problems


@pytest.mark.parametrize(
    "first",
    ["// x", "<!-- x", "/*", "let a=`", "let a='", "(", "if(0){", "function f(){", "[", "/", "class A {", "x ?"],
)
def test_a_script_that_does_not_end(first: str) -> None:
    """It is the script of its own element: what stands in the next one is read."""
    assert is_told(read("a.html", f"<script>{first}</script><script>{SCRIPT}</script>".encode()))
    assert is_told(read("a.html", f'<p onclick="{first}"><p onclick="{SCRIPT}">'.encode()))


@pytest.mark.parametrize("folder", ["", "tests/"])
def test_programs_with_more_than_is_read(folder: str) -> None:
    """Not to read all of a program is a problem, also of one for tests."""
    facts = read(f"{folder}a.dylib", programs.fat(*[programs.macho()] * 17))

    assert [problem.unread for problem in facts.problems] == [True]


def test_instructions_of_any_length() -> None:
    """What an agent is told is told, however long it is."""
    facts = read("AGENTS.md", b"x\n" * MIB)

    assert [fact.value for fact in facts.facts if fact.kind is Kind.AGENT_CONFIG] == ["instructions"]
