"""What a package.json declares: hooks, entries, edges, places; and which file an import loads."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.manifest import EntryRole, HookKind, Manifest
from lazaretto.core.model import DependencyGroup, DependencySource
from lazaretto.ecosystems.npm import ECOSYSTEM, commands, jsontext
from tests.ecosystems.trees import TARBALL, tree

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


def read(package: dict[str, Any] | str | bytes, **files: str) -> Manifest:
    """Return the manifest of a package; keyword arguments are more files, with ``__`` for a slash, ``_x_`` for dots."""
    text = json.dumps(package, indent=1) if isinstance(package, dict) else package
    more = {name.replace("__", "/").replace("_dot_", "."): content for name, content in files.items()}
    return ECOSYSTEM.manifest(TARBALL, tree({"package.json": text, **more}))


def entries(manifest: Manifest, role: EntryRole) -> list[str]:
    """Return the paths of the entries with a role."""
    return [entry.path for entry in manifest.entries if entry.role is role]


def test_edges_and_identity() -> None:
    """Name, version and every edge with its group and source; the author's tools are no edges."""
    manifest = read(
        {
            "name": "pad",
            "version": "1.0.0",
            "dependencies": {"a": "^1", "b": "^1", "c": "owner/repository"},
            "optionalDependencies": {"b": "^2"},
            "peerDependencies": {"a": "*", "p": "*"},
            "peerDependenciesMeta": {"p": {"optional": True}},
            "devDependencies": {"tool": "*"},
        }
    )

    assert (manifest.name, manifest.version, manifest.problems) == ("pad", "1.0.0", ())
    assert [(edge.name, edge.requirement, edge.group, edge.source) for edge in manifest.dependencies] == [
        ("a", "^1", DependencyGroup.RUNTIME, DependencySource.REGISTRY),
        ("b", "^2", DependencyGroup.OPTIONAL, DependencySource.REGISTRY),
        ("c", "owner/repository", DependencyGroup.RUNTIME, DependencySource.GIT),
        ("a", "*", DependencyGroup.PEER, DependencySource.REGISTRY),
        ("p", "*", DependencyGroup.EXTRA, DependencySource.REGISTRY),
    ]


def test_only_the_scripts_of_a_consumer_are_hooks() -> None:
    """``prepare`` and ``prepublishOnly`` run for the author; the three of an install are hooks, with their lines."""
    scripts = {"prepare": "husky", "postinstall": "node a.js", "preinstall": "node b.js", "test": "x"}
    manifest = read({"scripts": scripts})

    assert [(hook.kind, hook.name, hook.command, hook.span.line) for hook in manifest.hooks] == [
        (HookKind.SCRIPT, "preinstall", "node b.js", 5),
        (HookKind.SCRIPT, "postinstall", "node a.js", 4),
    ]


def test_scripts_run_by_scripts_are_hooks() -> None:
    """What ``npm run`` starts from a hook is a hook of its own, its ``pre`` and ``post`` too; a circle ends."""
    scripts = {
        "install": "npm run build && yarn more",
        "build": "npm run install; node c.js",
        "postbuild": "x",
        "more": "y",
    }
    names = [hook.name for hook in read({"scripts": scripts}).hooks]

    assert names == ["install", "install > build", "install > postbuild", "install > more"]


def test_gyp_without_a_script_is_a_hook() -> None:
    """Npm runs node-gyp by itself, and node-gyp the commands of the file."""
    gyp = '{"targets": [{\n "sources": ["<!(node lib/list.js)"], "x": "<!@(echo (a))" }]}'
    manifest = read({}, binding_dot_gyp=gyp, lib__list_dot_js="1")

    assert [(hook.kind, hook.command, hook.span.line) for hook in manifest.hooks] == [
        (HookKind.IMPLICIT, "node-gyp rebuild", 1),
        (HookKind.IMPLICIT, "node lib/list.js", 2),
        (HookKind.IMPLICIT, "echo (a)", 2),
    ]
    assert entries(manifest, EntryRole.INSTALL) == ["binding.gyp", "lib/list.js"]


def test_quotes_of_a_text_in_gyp() -> None:
    """An expansion stands in a text: what is escaped there reaches the command as it is."""
    manifest = read({}, binding_dot_gyp='{"x": "<!(node -p \\"require(\'a\').b\\")"}')

    assert [hook.command for hook in manifest.hooks][1:] == ["node -p \"require('a').b\""]


@pytest.mark.parametrize(
    ("text", "imported"),
    [
        ("#!/usr/bin/env node\nrun();\n", False),
        ("#!/usr/bin/env node\nexports.run = run;\n", True),
        ("#!/usr/bin/env node\nif (require.main === module) run();\n", True),
        ("#!/usr/bin/env node\nexport const run = 1;\n", True),
        ("run();\n", True),
    ],
)
def test_a_command_at_the_root_is_typed(text: str, imported: bool) -> None:
    """A program that gives nothing to who loads it is no public path; whatever else stands at the root is one."""
    manifest = read({"bin": {"pad": "cli.js"}}, index_dot_js="1", cli_dot_js=text)

    assert ("cli.js" in entries(manifest, EntryRole.IMPORT)) is imported
    assert entries(manifest, EntryRole.COMMAND) == ["cli.js"]


def test_gyp_switched_off() -> None:
    """``gypfile: false`` without a script runs nothing; an install script takes the place of the implicit one."""
    assert read({"gypfile": False}, binding_dot_gyp="{}").hooks == ()
    named = [hook.name for hook in read({"scripts": {"install": "node-gyp-build"}}, binding_dot_gyp="{}").hooks]
    assert named == ["install"]


@pytest.mark.parametrize(
    "command",
    [
        "node setup.js",
        "node ./setup",
        "node setup.js || exit 0",
        "CI=1 node -r ./setup x",
        "node -e \"require('./setup')\"",
        "sh -c 'node setup.js'",
        "echo a && (node setup.js)",
        "cross-env A=b node --require=./setup.js y",
        "cd lib && node ../setup.js",
    ],
)
def test_files_of_commands_are_entries(command: str) -> None:
    """Whatever way a script names a file of the package, the file runs at installation."""
    manifest = read({"scripts": {"postinstall": command}}, setup_dot_js="1", lib__a_dot_js="1")

    assert entries(manifest, EntryRole.INSTALL) == ["setup.js"]


def test_entries_of_every_kind() -> None:
    """``main``, ``module``, ``browser``, ``exports`` under every condition and ``bin`` are found; types are not run."""
    manifest = read(
        {
            "main": "lib",
            "module": "./esm/x.mjs",
            "browser": {"./lib/index.js": "./browser.js", "fs": False},
            "exports": {
                ".": {"types": "./a.d.ts", "node": {"import": "./n.mjs", "require": ["./missing.js", "./n.cjs"]}},
                "./f/*": "./feature/*.js",
                "./g/*": None,
                "./package.json": "./package.json",
            },
            "bin": {"pad": "cli.js"},
        },
        **dict.fromkeys(
            "lib__index_dot_js esm__x_dot_mjs browser_dot_js a_dot_d_dot_ts n_dot_mjs n_dot_cjs "
            "feature__one_dot_js feature__deep__two_dot_js unseen_dot_js cli_dot_js".split(),
            "",
        ),
    )

    assert entries(manifest, EntryRole.IMPORT) == [
        "lib/index.js",
        "esm/x.mjs",
        "browser.js",
        "n.mjs",
        "n.cjs",
        "feature/deep/two.js",
        "feature/one.js",
    ]
    assert entries(manifest, EntryRole.COMMAND) == ["cli.js"]


def test_without_exports_root_files_are_public() -> None:
    """Any file can be asked for then: those at the root count, and folders with a manifest; not the author's tools."""
    manifest = read(
        {"name": "pad"},
        index_dot_js="",
        sub_dot_js="",
        webpack_dot_config_dot_js="",
        lib__x_dot_js="",
        hooks__package_dot_json='{"main": "h.js"}',
        hooks__h_dot_js="",
    )

    assert entries(manifest, EntryRole.IMPORT) == ["index.js", "hooks/h.js", "sub.js"]


def test_fields_point_at_their_keys() -> None:
    """Each leaf is found by its path, as canonical JSON, with the place of its key."""
    text = '{\n  "scripts": {\n    "test": "x"\n  },\n  "a.b": 1,\n  "a": {"b": [1, {"c": 2}]}\n}\n'
    manifest = read(text)

    assert manifest.fields["scripts.test"][0] == '"x"'
    assert manifest.fields["a.b"][0] == "1"
    assert manifest.fields["a.b#"][0] == '[1,{"c":2}]'
    for key, (_, span) in manifest.fields.items():
        line = text.encode().split(b"\n")[span.line - 1]
        assert line[span.column :].startswith(text.encode()[span.start : span.end])
        assert json.loads(text[span.start : span.end]) == key.rstrip("#").rpartition(".")[2] or "." in key


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"a": 1, "a": 2}', "stands twice"),
        (b'\xef\xbb\xbf{"a": 1}', "byte order mark"),
        (b"[]", "not an object"),
        (b"", "ends too early"),
        (b"{", "ends too early"),
        (b'{"a": 01}', "unexpected"),
        (b'{"a": NaN}', "unexpected"),
        (b'{"a": 1} x', "after the end"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'{"a": ' + b"[" * 5000, "deeper"),
        (b'{"scripts": 7}', "scripts is not an object"),
        (b'{"scripts": {"install": 7}}', "not a text"),
        (b'{"dependencies": "a"}', "not an object"),
        (b'{"dependencies": {"a": 1}}', "not a text"),
        (b'{"dependencies": {"../a": "1"}}', "not an npm package name"),
    ],
)
def test_what_is_wrong_is_a_problem(data: bytes, reason: str) -> None:
    """Nothing that cannot be understood passes in silence."""
    assert any(reason in problem.reason for problem in read(data).problems)


def test_a_duplicate_hook_is_the_one_that_npm_runs() -> None:
    """Of two equal keys the last wins, as for npm; a reader who saw the first is told."""
    manifest = read('{"scripts": {"install": "first"},\n "scripts": {"install": "second"}}')

    assert [hook.command for hook in manifest.hooks] == ["second"]
    assert manifest.problems


@given(JSON)
def test_the_reader_agrees_with_json(value: Any) -> None:
    """Every document is read as the standard library reads it, without a problem, keys at their places."""
    data = json.dumps(value, indent=1, ensure_ascii=False).encode()
    document = jsontext.read(data)

    assert document.problems == []
    assert document.value == value
    for key in document.keys:
        assert json.loads(data[key.span.start : key.span.end]) == key.path[-1]


@given(st.binary(max_size=200) | st.text(alphabet='{}[]",:\\u0d8 1-.e\n', max_size=60).map(str.encode))
def test_the_reader_never_raises(data: bytes) -> None:
    """Any bytes give a value that JSON agrees with, or a problem."""
    document = jsontext.read(data)
    try:
        expected = json.loads(data.decode("utf-8"))
    except ValueError:
        assert document.problems
    else:
        assert document.problems or document.value == expected


@given(st.text(max_size=120))
def test_any_command_is_taken_apart(command: str) -> None:
    """No command text raises, and no path leads out of the package."""
    commands.scripts_run_by(command)
    for path in commands.paths_in(command):
        assert not path.startswith("/")
        assert ".." not in path.split("/")


FILES = {
    "package.json": json.dumps(
        {
            "name": "@s/pad",
            "main": "./lib/main.js",
            "imports": {"#in": {"node": "./lib/in.js", "default": "./lib/out.js"}, "#deep/*": "./lib/deep/*.js"},
        }
    ),
    "lib/main.js": "",
    "lib/in.js": "",
    "lib/out.js": "",
    "lib/deep/a.js": "",
    "lib/dir/index.js": "",
    "lib/pkg/package.json": '{"main": "start"}',
    "lib/pkg/start.js": "",
    "lib/data.json": "{}",
    "lib/ts.ts": "",
    "node_modules/bundled/package.json": '{"main": "m.js"}',
    "node_modules/bundled/m.js": "",
}


@pytest.mark.parametrize(
    ("specifier", "expected"),
    [
        ("./in", ["lib/in.js"]),
        ("./in.js", ["lib/in.js"]),
        ("./dir", ["lib/dir/index.js"]),
        ("./dir/", ["lib/dir/index.js"]),
        ("./pkg", ["lib/pkg/start.js"]),
        ("./data", ["lib/data.json"]),
        ("./ts.js", ["lib/ts.ts"]),
        ("./in.js?raw", ["lib/in.js"]),
        ("..", ["lib/main.js"]),
        ("../lib/in", ["lib/in.js"]),
        ("../../out", []),
        ("./missing", []),
        ("@s/pad", ["lib/main.js"]),
        ("@s/pad/lib/out", ["lib/out.js"]),
        ("#in", ["lib/in.js", "lib/out.js"]),
        ("#deep/a", ["lib/deep/a.js"]),
        ("#none", []),
        ("bundled", ["node_modules/bundled/m.js"]),
        ("other", []),
        ("fs", []),
        ("node:fs", []),
        ("/etc/passwd", []),
        ("", []),
    ],
)
def test_imports_are_resolved(specifier: str, expected: list[str]) -> None:
    """A specifier leads to the file that Node loads, under any condition; or out of the package."""
    files = tree(dict(FILES))
    manifest = ECOSYSTEM.manifest(TARBALL, files)

    assert list(ECOSYSTEM.resolve_import("lib/main.js", specifier, files, manifest)) == expected


def test_own_name_goes_through_exports() -> None:
    """With ``exports`` a package's own name opens what they open and nothing else."""
    package = {"name": "pad", "exports": {".": {"import": "./a.mjs", "require": "./a.cjs"}, "./x/*.js": "./lib/*.js"}}
    files = tree({"package.json": json.dumps(package), "a.mjs": "", "a.cjs": "", "lib/y.js": ""})
    manifest = ECOSYSTEM.manifest(TARBALL, files)

    assert ECOSYSTEM.resolve_import("a.mjs", "pad", files, manifest) == ("a.mjs", "a.cjs")
    assert ECOSYSTEM.resolve_import("a.mjs", "pad/x/y.js", files, manifest) == ("lib/y.js",)
    assert ECOSYSTEM.resolve_import("a.mjs", "pad/lib/y.js", files, manifest) == ()


@pytest.mark.parametrize(
    ("specifier", "name"),
    [
        ("axios", "axios"),
        ("lodash/fp", "lodash"),
        ("@s/n", "@s/n"),
        ("@s/n/deep/x.js", "@s/n"),
        ("./a", None),
        ("../a", None),
        ("/a", None),
        ("#in", None),
        ("fs", None),
        ("fs/promises", None),
        ("node:test", None),
        ("https://cdn.invalid/x.js", None),
        ("@/components", None),
        ("@s", None),
        ("", None),
    ],
)
def test_imported_names(specifier: str, name: str | None) -> None:
    """A specifier names a package, unless it is a path, built in, or an address."""
    assert ECOSYSTEM.imported_name(specifier) == name


def test_scripts_of_carried_packages_are_hooks() -> None:
    """Npm runs the scripts of what a package carries in ``node_modules`` like those of any other package."""
    inner = {"scripts": {"postinstall": "node run.js", "test": "x"}}
    files = tree(
        {
            "package.json": "{}",
            "node_modules/@s/in/package.json": json.dumps(inner),
            "node_modules/@s/in/run.js": "",
            "node_modules/broken/package.json": "{",
            "run.js": "",
        }
    )
    manifest = ECOSYSTEM.manifest(TARBALL, files)

    assert [(hook.name, hook.path) for hook in manifest.hooks] == [
        ("node_modules/@s/in postinstall", "node_modules/@s/in/package.json")
    ]
    assert entries(manifest, EntryRole.INSTALL) == ["node_modules/@s/in/run.js"]
    assert [problem.reason for problem in manifest.problems] == ["node_modules/broken/package.json cannot be read"]


def test_scripts_of_folders_that_are_dependencies_are_hooks() -> None:
    """A dependency may be a folder of the package itself: its scripts run as if it came from the registry."""
    inner = {"scripts": {"postinstall": "./run.sh"}}
    declared = {
        "dependencies": {
            "react": "file:./helper",
            "out": "file:../helper",
            "gone": "file:gone",
            "self": "file:.",
            "n": 1,
        },
        "optionalDependencies": [],
    }
    files = tree({"package.json": json.dumps(declared), "helper/package.json": json.dumps(inner), "helper/run.sh": ""})
    manifest = ECOSYSTEM.manifest(TARBALL, files)

    assert [(hook.name, hook.path) for hook in manifest.hooks] == [("helper postinstall", "helper/package.json")]
    assert entries(manifest, EntryRole.INSTALL) == ["helper/run.sh"]


def test_deep_arrays_cost_no_more_than_their_text() -> None:
    """What stands inside arrays has no place of its own, so that nesting cannot multiply the document."""
    text = '{"a": ' + '[{"a": ' * 90 + "1" + "}]" * 90 + "}"

    assert list(read(text).fields) == ["a"]


def test_a_specifier_that_is_too_long_is_a_problem() -> None:
    """A right-hand side of a megabyte is no dependency."""
    assert "characters" in read({"dependencies": {"a": "1" * 10_000}}).problems[0].reason
