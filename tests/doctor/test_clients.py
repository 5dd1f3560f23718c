"""Each client, one setting at a time: what is well, what is advised, and what is not said."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from lazaretto.app.doctor.client import origin
from lazaretto.app.doctor.ours import Ourselves
from lazaretto.core.posture import Severity
from lazaretto.core.ruling import FeedState
from tests.doctor.homes import NOW, of, prepare, told

LOCK = '{"lockfileVersion": 3, "packages": {}}'

ADVISED = [
    ({".npmrc": "before=2026-01-01\n"}, {}, "npm", "cooldown-fixed-date"),
    ({".npmrc": "min-release-age=0\n"}, {}, "npm", "cooldown-off"),
    ({".npmrc": "min-release-age=2\n"}, {}, "npm", "cooldown-short"),
    ({".npmrc": "a=1\n"}, {"npm_config_min_release_age": "lots"}, "npm", "cooldown-unreadable"),
    ({".npmrc": "dangerously-allow-all-scripts=true\n"}, {}, "npm", "scripts-allowed"),
    ({"~/.npmrc": "registry=http://npm.acme.invalid/\n"}, {}, "npm", "registry-plain-http"),
    ({"yarn.lock": "# yarn lockfile v1\n"}, {}, "yarn", "cooldown-missing"),
    ({"package.json": '{"packageManager": "yarn@1.22.22"}'}, {}, "yarn", "cooldown-missing"),
    ({".yarnrc.yml": "enableStrictSsl: false\n"}, {}, "yarn", "tls-off"),
    ({".yarnrc.yml": "nodeLinker: pnp\n"}, {}, "yarn", "scripts-on"),
    ({"package.json": '{"packageManager": "pnpm@9.1.0"}'}, {}, "pnpm", "scripts-on"),
    ({"package.json": '{"packageManager": "pnpm@9.1.0"}'}, {}, "pnpm", "cooldown-missing"),
    ({"pnpm-lock.yaml": "lockfileVersion: '9.0'\n"}, {}, "pnpm", "provenance-not-asked"),
    ({"requirements.txt": "-i http://a.invalid/simple\n"}, {}, "pip", "registry-plain-http"),
    ({"requirements.txt": "--extra-index-url https://b.invalid/simple\nx\n"}, {}, "pip", "several-indexes"),
    ({"requirements.txt": "--trusted-host b.invalid\n"}, {}, "pip", "tls-off"),
    ({"requirements.txt": "x\n"}, {"PIP_UPLOADED_PRIOR_TO": "2026-01-01"}, "pip", "cooldown-fixed-date"),
    ({"uv.toml": 'exclude-newer = "2026-01-01T00:00:00Z"\n'}, {}, "uv", "cooldown-fixed-date"),
    ({"uv.toml": 'allow-insecure-host = ["a.invalid"]\n'}, {}, "uv", "tls-off"),
    ({"renovate.json": '{"stabilityDays": 3}'}, {}, "renovate", "cooldown-renamed"),
]


@pytest.mark.parametrize(("files", "env", "subject", "identifier"), ADVISED)
def test_advised(tmp_path: Path, files: dict[str, str], env: dict[str, str], subject: str, identifier: str) -> None:
    """A setting that could be better is named."""
    assert (subject, identifier) in told(prepare(tmp_path, files, env).look())


WELL = [
    ({"package.json": '{"packageManager": "npm@12.1.0"}', "package-lock.json": LOCK}, "npm", "npm 12 runs no script"),
    ({".npmrc": "strict-allow-scripts=true\n"}, "npm", "only packages in allowScripts"),
    ({"package.json": '{"packageManager": "pnpm@11.2.0+sha512.x"}'}, "pnpm", "the default of pnpm 11"),
    ({"package.json": '{"packageManager": "yarn@4.18.1"}'}, "yarn", "cooldown of 1 day"),
    ({"package.json": '{"packageManager": "yarn@4.18.1"}'}, "yarn", "no package runs scripts"),
    ({"renovate.json": '{"extends": ["config:best-practices"]}'}, "renovate", "from a preset"),
    (
        {"renovate.json": '{"packageRules": [{"minimumReleaseAge": "14 days"}]}'},
        "renovate",
        "cooldown of 14 days",
    ),
    ({".github/dependabot.yml": "updates:\n- package-ecosystem: uv\n"}, "dependabot", "the default of GitHub"),
    ({"bunfig.toml": "[install]\n", "package.json": '{"trustedDependencies": ["a", "b"]}'}, "bun", "2 packages may"),
    ({"~/.config/pip/pip.conf": "[install]\nrequire-hashes = true\n"}, "pip", "known hash"),
    ({"~/.config/pip/pip.conf": "[global]\nindex-url = file:///srv/index\n"}, "pip", "one index: file:"),
]


@pytest.mark.parametrize(("files", "subject", "words"), WELL)
def test_well(tmp_path: Path, files: dict[str, str], subject: str, words: str) -> None:
    """A setting that is as it should be is said, too."""
    standing = prepare(tmp_path, files).look().standing

    assert [one for one in standing if one.subject == subject and words in one.message]


def test_client_that_is_not_used_is_not_spoken_of(tmp_path: Path) -> None:
    """An empty home and project: nothing is looked at, nothing is advised."""
    posture = prepare(tmp_path, {}).look()

    assert (posture.advice, posture.subjects) == ((), ())


def test_program_on_the_path_is_use(tmp_path: Path) -> None:
    """A client that is installed is looked at, without any file of it."""
    program = tmp_path / "bin" / "uv"
    program.parent.mkdir()
    program.touch(mode=0o755)

    assert prepare(tmp_path, {}, {"PATH": str(program.parent)}).look().subjects == ("uv",)


def test_config_home_is_followed(tmp_path: Path) -> None:
    """``XDG_CONFIG_HOME`` moves the files, not what they are called."""
    (tmp_path / "config" / "uv").mkdir(parents=True)
    (tmp_path / "config" / "uv" / "uv.toml").write_text('index-strategy = "unsafe-best-match"\n')
    home = prepare(tmp_path, {}, {"XDG_CONFIG_HOME": str(tmp_path / "config")})
    advice = of(home.look(), "uv", "several-indexes")

    assert str(advice.places[0]) == "~/.config/uv/uv.toml:1"


def test_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    """Bytes that are no UTF-8, a folder, a broken INI file: no crash, and no silence where something was there."""
    home = prepare(tmp_path, {"~/.config/pip/pip.conf": "no section\n", "package-lock.json": LOCK})
    (tmp_path / "home" / ".npmrc").write_bytes(b"\xff\xfe")
    (tmp_path / "home" / "project" / "uv.toml").mkdir()
    posture = home.look()

    assert posture.unread == ("~/.config/pip/pip.conf is no INI file", "~/.npmrc is not UTF-8")


def test_file_that_is_too_large_or_endless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bound holds, and a pipe is not read."""
    monkeypatch.setattr("lazaretto.infra.machine.MAX_FILE", 1 << 20)
    home = prepare(tmp_path, {"package-lock.json": " " * (2 << 20)})
    os.mkfifo(tmp_path / "home" / ".npmrc")

    assert home.look().unread == ("package-lock.json is larger than 1 MiB",)


@pytest.mark.parametrize("depth", [80, 5_000])
def test_nesting_is_bounded(tmp_path: Path, depth: int) -> None:
    """A file that is nested without end is told, not followed."""
    home = prepare(tmp_path, {"renovate.json": "[" * depth + "]" * depth})

    assert home.look().unread == ("renovate.json is not JSON",)


def test_json5_is_read(tmp_path: Path) -> None:
    """Comments, bare keys, single quotes and commas at the end; an address in a text is no comment."""
    text = "// a\n{ /* b\n */ extends: ['x', ], $schema: \"https://a.invalid/b\", minimumReleaseAge: '7 days', }\n"
    posture = prepare(tmp_path, {"renovate.json5": text}).look()

    assert posture.unread == ()
    assert any("7 days" in one.message for one in posture.standing)


def test_ourselves(tmp_path: Path) -> None:
    """A missing layer, no confinement, no source of advisories, an old one, one from the future."""
    home = prepare(tmp_path, {})
    old = tuple(FeedState(f"f{days}", NOW + timedelta(days=days), 1) for days in (-3, 2))
    partial = home.look(Ourselves(absent={"landlock": "not in this kernel"}, feeds=old))

    assert of(partial, "lazaretto", "sandbox-partial").severity == Severity.MEDIUM
    assert {one.message.split()[3] for one in partial.advice if one.id == "feeds-stale"} == {"f-3", "f2"}
    assert told(home.look(Ourselves(unconfined="no kernel"))) == {
        ("lazaretto", "sandbox-off"),
        ("lazaretto", "feeds-none"),
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://a.invalid:8443/x?y", "https://a.invalid:8443"),
        ("http://[::1/", ""),
        ("https://a.invalid:x/", ""),
        ("words", ""),
        ("file:///srv", "file:"),
    ],
)
def test_origin(text: str, expected: str) -> None:
    """Of an address only scheme, host and port are told."""
    assert origin(text) == expected
