"""The clients of an npm registry. No script of a package runs, and every cache is in the place's home.

Some have a cooldown of their own by default (berry, deno, pnpm). It is off here: what is held is held by the firewall.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.clients.client import Client, Place
from tests.clients.rig import program


def _manifest(place: Place, wanted: Mapping[str, str]) -> None:
    document = {"name": "consumer", "version": "1.0.0", "private": True, "dependencies": dict(wanted)}
    (place.project / "package.json").write_text(json.dumps(document, indent=2), encoding="utf-8")


def _npmrc(place: Place, wanted: Mapping[str, str]) -> None:
    _manifest(place, wanted)
    lines = (
        f"registry={place.registry}",
        "ignore-scripts=true",
        "fetch-retries=2",
        "fetch-retry-mintimeout=100",
        "fetch-retry-maxtimeout=500",
    )
    (place.project / ".npmrc").write_text("\n".join([*lines, ""]), encoding="utf-8")


def _berry(place: Place, wanted: Mapping[str, str]) -> None:
    _manifest(place, wanted)
    lines = (
        f'npmRegistryServer: "{place.registry}"',
        'unsafeHttpWhitelist: ["127.0.0.1"]',
        "enableScripts: false",
        "enableTelemetry: false",
        "enableGlobalCache: false",
        "enableMirror: false",
        "nodeLinker: node-modules",
        "httpRetry: 1",
        "npmMinimalAgeGate: 0",
    )
    (place.project / ".yarnrc.yml").write_text("\n".join([*lines, ""]), encoding="utf-8")
    (place.project / "yarn.lock").touch()  # else it looks for a project above this folder


def _pnpm(place: Place, wanted: Mapping[str, str]) -> None:
    _npmrc(place, wanted)
    lines = ("minimumReleaseAge: 0", "strictDepBuilds: false")
    (place.project / "pnpm-workspace.yaml").write_text("\n".join([*lines, ""]), encoding="utf-8")


def _bunfig(place: Place, wanted: Mapping[str, str]) -> None:
    _manifest(place, wanted)
    text = f'telemetry = false\n[install]\nregistry = "{place.registry}"\n'
    (place.project / "bunfig.toml").write_text(text, encoding="utf-8")


def _deno(place: Place, wanted: Mapping[str, str]) -> None:
    _npmrc(place, wanted)
    (place.project / "deno.json").write_text(
        '{"nodeModulesDir": "auto", "minimumDependencyAge": "0"}\n', encoding="utf-8"
    )


def _installed(place: Place, name: str) -> str | None:
    """Return the version of a package as a program of the project would load it."""
    manifest = place.project / "node_modules" / name / "package.json"
    if not manifest.is_file():
        return None
    return str(json.loads(manifest.read_text(encoding="utf-8"))["version"])


def _script(name: str) -> list[str]:
    """Return the words that start a client written in JavaScript."""
    return [shutil.which("node") or "node", program(name)]


def _npm_env(place: Place) -> Mapping[str, str]:
    return {
        "npm_config_cache": f"{place.home}/cache/npm",
        "npm_config_globalconfig": f"{place.home}/none",
        "npm_config_update_notifier": "false",
        "npm_config_audit": "false",
        "npm_config_fund": "false",
    }


def _none(place: Place) -> Mapping[str, str]:
    return {}


_YARN = ("--non-interactive", "--no-progress", "--ignore-scripts", "--no-default-rc")

NPM = Client(
    name="npm",
    ecosystem="npm",
    lockfile="package-lock.json",
    configure=_npmrc,
    env=_npm_env,
    install=lambda _: [*_script("npm"), "install"],
    frozen=lambda _: [*_script("npm"), "ci"],
    offline=lambda _: [*_script("npm"), "install", "--prefer-offline"],
    version=lambda _: [*_script("npm"), "--version"],
    installed=_installed,
)

PNPM = Client(
    name="pnpm",
    ecosystem="npm",
    lockfile="pnpm-lock.yaml",
    configure=_pnpm,
    env=lambda place: {
        "npm_config_globalconfig": f"{place.home}/none",
        "PNPM_HOME": f"{place.home}/pnpm",
    },
    install=lambda _: [program("pnpm"), "install", "--no-frozen-lockfile"],
    frozen=lambda _: [program("pnpm"), "install", "--frozen-lockfile"],
    offline=lambda _: [program("pnpm"), "install", "--no-frozen-lockfile", "--prefer-offline"],
    version=lambda _: [program("pnpm"), "--version"],
    installed=_installed,
)

YARN = Client(
    name="yarn",
    ecosystem="npm",
    lockfile="yarn.lock",
    configure=_npmrc,
    env=lambda place: {
        "npm_config_globalconfig": f"{place.home}/none",
        "YARN_CACHE_FOLDER": f"{place.home}/cache/yarn",
    },
    install=lambda place: [*_script("yarn"), "install", *_YARN, "--registry", place.registry],
    frozen=lambda place: [*_script("yarn"), "install", *_YARN, "--registry", place.registry, "--frozen-lockfile"],
    offline=lambda place: [*_script("yarn"), "install", *_YARN, "--registry", place.registry, "--prefer-offline"],
    version=lambda _: [*_script("yarn"), "--version"],
    installed=_installed,
)
BERRY = Client(
    name="berry",
    ecosystem="npm",
    lockfile="yarn.lock",
    configure=_berry,
    env=lambda place: {
        "YARN_IGNORE_PATH": "1",
        "YARN_CACHE_FOLDER": f"{place.home}/cache/berry",
        "YARN_GLOBAL_FOLDER": f"{place.home}/berry",
    },
    install=lambda _: [*_script("berry"), "install", "--no-immutable"],
    frozen=lambda _: [*_script("berry"), "install", "--immutable"],
    offline=lambda _: [*_script("berry"), "install", "--no-immutable"],
    version=lambda _: [*_script("berry"), "--version"],
    installed=_installed,
)

BUN = Client(
    name="bun",
    ecosystem="npm",
    lockfile="bun.lock",
    configure=_bunfig,
    env=lambda place: {"BUN_INSTALL_CACHE_DIR": f"{place.home}/cache/bun", "BUN_INSTALL": f"{place.home}/bun"},
    install=lambda _: [program("bun"), "install", "--ignore-scripts", "--no-progress", "--no-frozen-lockfile"],
    frozen=lambda _: [program("bun"), "install", "--ignore-scripts", "--no-progress", "--frozen-lockfile"],
    offline=lambda _: [program("bun"), "install", "--ignore-scripts", "--no-progress", "--prefer-offline"],
    version=lambda _: [program("bun"), "--version"],
    installed=_installed,
)

DENO = Client(
    name="deno",
    ecosystem="npm",
    lockfile="deno.lock",
    configure=_deno,
    env=lambda place: {
        "DENO_DIR": f"{place.home}/cache/deno",
        "DENO_NO_UPDATE_CHECK": "1",
        "NPM_CONFIG_REGISTRY": place.registry,
    },
    install=lambda _: [program("deno"), "install"],
    frozen=lambda _: [program("deno"), "install", "--frozen"],
    offline=lambda _: [program("deno"), "install"],
    version=lambda _: [program("deno"), "--version"],
    installed=_installed,
)


def npm_program() -> list[str]:
    """Return the words that start npm, for what a client does beside installing."""
    return _script("npm")


ALL = (NPM, PNPM, YARN, BERRY, BUN, DENO)


def forget_installed(place: Place) -> None:
    """Remove what was installed, as in a fresh checkout: the lockfile stays."""
    shutil.rmtree(place.project / "node_modules", ignore_errors=True)
    for path in Path(place.project).glob(".pnp.*"):
        path.unlink()
