"""What wheels and source distributions declare: edges, start-up code, build code, entries; and imports."""

from base64 import urlsafe_b64encode
from hashlib import sha256

import pytest

from lazaretto.core.manifest import EntryRole, HookKind, Manifest
from lazaretto.core.tree import Tree
from lazaretto.ecosystems.pypi import ECOSYSTEM, metadata
from tests.ecosystems.trees import SDIST, WHEEL, tree

INFO = "pad-1.0.dist-info"
METADATA = "Metadata-Version: 2.1\nName: Pad\nVersion: 1.0\n"


def wheel_tree(files: dict[str, str], headers: str = METADATA, record: str | None = None) -> Tree:
    """Return a wheel with these files, its metadata and a true RECORD, unless one is given."""
    held = {f"{INFO}/METADATA": headers, f"{INFO}/WHEEL": "Wheel-Version: 1.0\n", **files}
    lines = []
    for path, text in held.items():
        digest = urlsafe_b64encode(sha256(text.encode()).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(text)}")
    held[f"{INFO}/RECORD"] = record if record is not None else "\n".join([*lines, f"{INFO}/RECORD,,"])
    return tree(dict(held))


def wheel(files: dict[str, str], headers: str = METADATA) -> Manifest:
    """Return the manifest of such a wheel."""
    return ECOSYSTEM.manifest(WHEEL, wheel_tree(files, headers))


def sdist(files: dict[str, str]) -> Manifest:
    """Return the manifest of a source distribution with these files."""
    return ECOSYSTEM.manifest(SDIST, tree(dict(files)))


def entries(manifest: Manifest, role: EntryRole) -> list[str]:
    """Return the paths of the entries with a role."""
    return [entry.path for entry in manifest.entries if entry.role is role]


def test_metadata_of_a_wheel() -> None:
    """Name, version, edges with markers and extras, and the line of each header."""
    headers = f"{METADATA}Requires-Dist: idna (>=2.5)\nRequires-Dist: socks ; extra == 'socks'\n\nRequires-Dist: text\n"
    manifest = wheel({"pad/__init__.py": ""}, headers)

    assert (manifest.name, manifest.version, manifest.problems) == ("Pad", "1.0", ())
    assert [(edge.name, edge.requirement, edge.group.value) for edge in manifest.dependencies] == [
        ("idna", ">=2.5", "runtime"),
        ("socks", "", "extra"),
    ]
    assert manifest.fields["requires-dist.idna"][1].line == 4
    assert manifest.fields["name"][0] == '"Pad"'


def test_folded_headers_are_one() -> None:
    """A header goes on in the lines that start with a blank."""
    found = metadata.read(b"Name: pad\r\nLicense: a\r\n        b\r\n\tc\r\nVersion: 1\r\n")

    assert [(header.name, header.value) for header in found.headers] == [
        ("name", "pad"),
        ("license", "a\nb\nc"),
        ("version", "1"),
    ]
    assert [header.span.line for header in found.headers] == [1, 2, 5]


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        (f"{METADATA}no header\nRequires-Dist: hidden\n", "no header"),
        (f"{METADATA}Requires-Dist: !!!\n", "Requires-Dist"),
        (f"{METADATA}Requires-Dist: a @@ b\n", "Requires-Dist"),
    ],
)
def test_metadata_that_cannot_be_read_is_a_problem(headers: str, reason: str) -> None:
    """A line that hides what follows, or an edge that nobody understands, is told."""
    assert any(reason in problem.reason for problem in wheel({}, headers).problems)


def test_wheel_without_its_parts_is_a_problem() -> None:
    """No METADATA, no WHEEL, no RECORD, no .dist-info, or two of them."""
    reasons = " ".join(problem.reason for problem in ECOSYSTEM.manifest(WHEEL, tree({f"{INFO}/x": ""})).problems)
    assert "no METADATA" in reasons
    assert "no WHEEL" in reasons
    assert "no RECORD" in reasons
    assert "no .dist-info" in ECOSYSTEM.manifest(WHEEL, tree({"pad.py": ""})).problems[0].reason
    assert any("more than one" in problem.reason for problem in wheel({"other-1.dist-info/METADATA": ""}).problems)


def test_record_must_tell_the_truth() -> None:
    """A file that RECORD does not list, one that is not there, and one with another digest."""
    digest = urlsafe_b64encode(b"\x00" * 32).decode()
    record = f"{INFO}/METADATA,sha256={digest},1\ngone.py,,\n{INFO}/RECORD,,\n"
    manifest = ECOSYSTEM.manifest(WHEEL, wheel_tree({"extra.py": "1"}, record=record))

    assert {problem.reason for problem in manifest.problems} == {
        f"RECORD does not list '{INFO}/WHEEL', which the wheel holds",
        "RECORD does not list 'extra.py', which the wheel holds",
        f"RECORD has another digest for '{INFO}/METADATA'",
        "RECORD lists 'gone.py', which the wheel does not hold",
    }


def test_start_up_lines() -> None:
    """Each executed line of a .pth is a hook with its place; a line that only names a folder is none."""
    manifest = wheel(
        {"pad.pth": "# a\n../folder\nimport os; os.system('x')\nimport\tsys\nimportant\n", "pad/inner.pth": "import os"}
    )

    assert [(hook.kind, hook.command, hook.span.line) for hook in manifest.hooks] == [
        (HookKind.STARTUP, "import os; os.system('x')", 3),
        (HookKind.STARTUP, "import\tsys", 4),
    ]
    assert entries(manifest, EntryRole.INSTALL) == ["pad.pth"]


@pytest.mark.parametrize(
    "path",
    [
        "sitecustomize.py",
        "usercustomize/__init__.py",
        "pad-1.0.data/purelib/sitecustomize.py",
        "pad-1.0.data/data/lib/python3.12/site-packages/usercustomize.py",
    ],
)
def test_start_up_modules(path: str) -> None:
    """Sitecustomize and usercustomize run at every start, by whatever way they reach site-packages."""
    manifest = wheel({path: "print()"})

    assert [(hook.kind, hook.path) for hook in manifest.hooks] == [(HookKind.STARTUP, path)]
    assert path in entries(manifest, EntryRole.INSTALL)


def test_pth_through_the_data_folder() -> None:
    """A .pth that a wheel installs by way of its data folder is a start-up hook too."""
    path = "pad-1.0.data/data/lib/python3.12/site-packages/pad.pth"

    assert [hook.path for hook in wheel({path: "import os\n"}).hooks] == [path]


def test_entries_of_a_wheel() -> None:
    """Packages, top-level modules, namespaces, native modules, commands, plug-ins of other programs, scripts."""
    points = "[console_scripts]\npad = pad.cli:main\n[pytest11]\npad = pad.plugin\n# x\n"
    manifest = wheel(
        {
            "pad/__init__.py": "",
            "pad/cli.py": "",
            "pad/plugin.py": "",
            "pad/unseen.py": "",
            "single.py": "",
            "_fast.cpython-311-x86_64-linux-gnu.so": "",
            "space/inner/__init__.py": "",
            "space/module.py": "",
            "pad-1.0.data/scripts/tool": "#!python",
            f"{INFO}/entry_points.txt": points,
        }
    )

    assert manifest.problems == ()
    assert set(entries(manifest, EntryRole.IMPORT)) == {
        "pad/__init__.py",
        "single.py",
        "_fast.cpython-311-x86_64-linux-gnu.so",
        "space/inner/__init__.py",
        "space/module.py",
        "pad/plugin.py",
    }
    assert entries(manifest, EntryRole.COMMAND) == ["pad/cli.py", "pad-1.0.data/scripts/tool"]


def test_entry_points_that_are_none_are_a_problem() -> None:
    """A line of entry_points.txt that nobody understands is told."""
    assert wheel({f"{INFO}/entry_points.txt": "[console_scripts]\nnonsense\n"}).problems


def test_setup_py_runs() -> None:
    """An old source distribution runs setup.py, and needs what it names."""
    manifest = sdist(
        {
            "PKG-INFO": METADATA,
            "setup.py": "setup()",
            "setup.cfg": "[options]\nsetup_requires =\n  cython>=3\n  wheel\n",
            "pad/__init__.py": "",
            "tests/__init__.py": "",
            "pad.egg-info/requires.txt": "idna>=2\n\n[extra:python_version<'3.9']\nsocks\n",
        }
    )

    assert [(hook.kind, hook.path) for hook in manifest.hooks] == [(HookKind.BUILD, "setup.py")]
    assert [(edge.name, edge.group.value) for edge in manifest.dependencies] == [
        ("idna", "runtime"),
        ("socks", "extra"),
        ("cython", "build"),
        ("wheel", "build"),
    ]
    assert entries(manifest, EntryRole.INSTALL) == ["setup.py", "setup.cfg"]
    assert entries(manifest, EntryRole.IMPORT) == ["pad/__init__.py"]


@pytest.mark.parametrize(
    "text", ["setup_requires = cython>=3; wheel[x]>=1,<2", "setup_requires =\n  cython>=3\n  wheel"]
)
def test_setup_requires_is_split_as_setuptools_does(text: str) -> None:
    """One line holds requirements between semicolons, several lines one each."""
    manifest = sdist({"PKG-INFO": METADATA, "setup.py": "setup()", "setup.cfg": f"[options]\n{text}\n"})

    assert manifest.problems == ()
    assert [edge.name for edge in manifest.dependencies] == ["cython", "wheel"]


def test_a_backend_of_its_own_runs() -> None:
    """A build backend inside the distribution is build code; one that is a package is a build edge."""
    toml = (
        '[build-system]\nrequires = ["hatchling>=1"]\nbuild-backend = "back.end:main"\nbackend-path = ["tools"]\n'
        '[project]\nname = "pad"\ndependencies = ["idna"]\n[project.optional-dependencies]\nx = ["socks"]\n'
        '[tool.hatch.build.hooks.custom]\npath = "hook.py"\n[tool.poetry.build]\nscript = "b.py"\n'
    )
    files = {"pyproject.toml": toml, "tools/back/end.py": "", "src/pad/__init__.py": "", "hook.py": "", "b.py": ""}
    manifest = sdist(files)

    assert [(hook.name, hook.path) for hook in manifest.hooks] == [
        ("build-backend", "tools/back/end.py"),
        ("hatch build hook", "hook.py"),
        ("poetry build script", "b.py"),
    ]
    assert [(edge.name, edge.group.value) for edge in manifest.dependencies] == [
        ("idna", "runtime"),
        ("socks", "extra"),
        ("hatchling", "build"),
    ]
    assert manifest.path == "pyproject.toml"
    assert "src/pad/__init__.py" in entries(manifest, EntryRole.IMPORT)


@pytest.mark.parametrize("text", ["[", "a = 1\na = 2", "\udcff", "x = " + "[" * 5000])
def test_a_broken_pyproject_is_a_problem(text: str) -> None:
    """A file that decides what a build runs and cannot be read is told."""
    data = text.encode("utf-8", "surrogateescape")

    assert ECOSYSTEM.manifest(SDIST, tree({"pyproject.toml": data, "PKG-INFO": METADATA})).problems


FILES = {
    "pad/__init__.py": "",
    "pad/a.py": "",
    "pad/sub/__init__.py": "",
    "pad/sub/b.py": "",
    "pad/sub/_c.cpython-311-x86_64-linux-gnu.so": "",
    "space/inner/m.py": "",
    "single.py": "",
}


@pytest.mark.parametrize(
    ("path", "specifier", "expected"),
    [
        ("pad/a.py", ".", ["pad/__init__.py"]),
        ("pad/a.py", ".sub", ["pad/__init__.py", "pad/sub/__init__.py"]),
        ("pad/a.py", ".sub.b.name", ["pad/__init__.py", "pad/sub/__init__.py", "pad/sub/b.py"]),
        ("pad/sub/b.py", "..a", ["pad/__init__.py", "pad/a.py"]),
        ("pad/sub/b.py", "...single", ["single.py"]),
        ("pad/sub/b.py", "....x", []),
        (
            "pad/a.py",
            "pad.sub._c",
            ["pad/__init__.py", "pad/sub/__init__.py", "pad/sub/_c.cpython-311-x86_64-linux-gnu.so"],
        ),
        ("pad/a.py", "pad.a.function", ["pad/__init__.py", "pad/a.py"]),
        ("pad/a.py", "pad.VALUE", ["pad/__init__.py"]),
        ("pad/a.py", "space.inner.m", ["space/inner/m.py"]),
        ("pad/a.py", "single", ["single.py"]),
        ("pad/a.py", "os.path", []),
        ("pad/a.py", "other", []),
        ("pad/a.py", "", []),
        ("pad/a.py", "a..b", []),
        ("pad/a.py", "./single.py", ["single.py"]),
    ],
)
def test_imports_are_resolved(path: str, specifier: str, expected: list[str]) -> None:
    """An import loads each package on its way, and the longest prefix that is a module."""
    files = wheel_tree(dict(FILES))
    manifest = ECOSYSTEM.manifest(WHEEL, files)

    assert list(ECOSYSTEM.resolve_import(path, specifier, files, manifest)) == expected


def test_imports_from_the_source_folder() -> None:
    """In a source distribution modules lie under ``src`` as well."""
    files = tree(
        {"PKG-INFO": METADATA, "src/pad/__init__.py": "", "src/pad/a.py": "", "setup.py": "", "build_tools.py": ""}
    )
    manifest = ECOSYSTEM.manifest(SDIST, files)

    assert ECOSYSTEM.resolve_import("setup.py", "pad.a", files, manifest) == ("src/pad/__init__.py", "src/pad/a.py")
    assert ECOSYSTEM.resolve_import("setup.py", "build_tools", files, manifest) == ("build_tools.py",)


def test_imports_through_the_data_folder() -> None:
    """What a wheel installs by way of ``.data/purelib`` is imported as if it stood at the root."""
    files = wheel_tree(
        {"pad-1.0.data/purelib/deep/__init__.py": "", "pad-1.0.data/purelib/deep/x.py": "", "pad.py": ""}
    )
    manifest = ECOSYSTEM.manifest(WHEEL, files)

    assert ECOSYSTEM.resolve_import("pad.py", "deep.x", files, manifest) == (
        "pad-1.0.data/purelib/deep/__init__.py",
        "pad-1.0.data/purelib/deep/x.py",
    )


@pytest.mark.parametrize(
    ("specifier", "name"),
    [
        ("requests.api", "requests"),
        ("yaml", "yaml"),
        ("os.path", None),
        (".a", None),
        ("", None),
        ("__future__", None),
        ("a-b", None),
    ],
)
def test_imported_names(specifier: str, name: str | None) -> None:
    """A specifier names a top-level module, unless relative or of the standard library."""
    assert ECOSYSTEM.imported_name(specifier) == name


@pytest.mark.parametrize(
    ("source", "imported"),
    [
        ("__version__ = '1.0'  # now\n", False),
        ('__version__: str = "1.0"\n', False),
        ("VERSION = (1, 0)\n__version__ = (1, 0, 'rc1')\n", False),
        ("from ._v import __version__\n", True),
        ("__version__ = '1.' + open('x').read()\n", True),
        ("if 1:\n    __version__ = '1.0'\n", True),
    ],
)
@pytest.mark.parametrize(
    "settings",
    [
        {"setup.cfg": "[metadata]\nversion = attr: pad.about.__version__\n"},
        {"pyproject.toml": "[tool.setuptools.dynamic]\nversion = {attr = 'pad.about.__version__'}\n"},
    ],
)
def test_a_version_that_imports_the_package(settings: dict[str, str], source: str, *, imported: bool) -> None:
    """Setuptools looks for a constant first, and imports the module only where there is none."""
    files = {"PKG-INFO": "Metadata-Version: 2.1\nName: pad\nVersion: 1\n", "src/pad/about.py": source, **settings}
    manifest = sdist(files)

    assert [hook.command for hook in manifest.hooks] == ["import pad.about"] * imported
    assert ("src/pad/about.py" in entries(manifest, EntryRole.INSTALL)) is imported


def test_commands_of_a_source_distribution() -> None:
    """The files behind the console scripts of an sdist are its commands."""
    files = {
        "PKG-INFO": "Metadata-Version: 2.1\nName: pad\nVersion: 1\n",
        "pad.egg-info/entry_points.txt": "[console_scripts]\npad = pad.cli:main\nx = gone:main\n",
        "pad/__init__.py": "",
        "pad/cli.py": "",
    }

    assert entries(sdist(files), EntryRole.COMMAND) == ["pad/cli.py"]


@pytest.mark.parametrize(
    "name", ["sitecustomize.cpython-311-x86_64-linux-gnu.so", "usercustomize.pyd", "sitecustomize.so"]
)
def test_compiled_start_up_modules(name: str) -> None:
    """A start-up module runs at every start in whichever form it is installed."""
    assert [hook.name for hook in wheel({name: "", "sitecustomizer.so": ""}).hooks] == [name.partition(".")[0]]


def test_conftest_at_the_root() -> None:
    """A ``conftest.py`` that is installed beside the packages can be loaded by its name."""
    assert "conftest.py" in entries(wheel({"conftest.py": "", "pad/__init__.py": ""}), EntryRole.IMPORT)
