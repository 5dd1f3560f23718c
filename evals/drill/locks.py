"""Lockfiles of six clients, written from scratch: a project with some dependencies, and perhaps the one in question."""

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, NamedTuple

NODE = ("npm", "pnpm", "yarn", "berry", "bun")
INTEGRITY = f"sha512-{b64encode(bytes(64)).decode()}"


class Project(NamedTuple):
    """What a project asks for. ``axios`` is the version in its lockfile, ``deep``: through ``sdk``."""

    client: str
    axios: str
    deep: bool = False
    mention: bool = False
    others: tuple[tuple[str, str], ...] = ()

    @property
    def pins(self) -> dict[str, str]:
        """Every release that the lockfile fixes."""
        found = dict(self.others)
        if self.axios:
            found["axios"] = self.axios
        if self.axios in {"1.14.1", "0.30.4"}:
            found["plain-crypto-js"] = "4.2.1"
        if self.deep:
            found["sdk"] = "1.0.0"
        return found

    @property
    def asked(self) -> dict[str, str]:
        """What ``package.json`` asks for."""
        line = "^0.30.0" if self.axios.startswith("0.") else "^1.13.0"
        own = {"sdk": "^1.0.0"} if self.deep else {"axios": line} if self.axios else {}
        return {**{name: f"^{version}" for name, version in self.others}, **own}

    def needs(self, name: str) -> dict[str, str]:
        """What a release of the lockfile asks for."""
        if name == "sdk":
            return {"axios": "^1.13.0"}
        if name == "axios" and "plain-crypto-js" in self.pins:
            return {"plain-crypto-js": "^4.2.1"}
        return {}


def files(project: Project) -> Mapping[str, str]:
    """Return the lockfile and the manifest of a project, by their names."""
    if project.client == "uv":
        return _uv(project)
    manifest: dict[str, Any] = {"name": "app", "version": "1.0.0", "private": True, "dependencies": project.asked}
    if project.mention:
        manifest["resolutions" if project.client in {"yarn", "berry"} else "overrides"] = {"axios": "1.14.1"}
    write = {"npm": _npm, "pnpm": _pnpm, "yarn": _yarn, "berry": _berry, "bun": _bun}[project.client]
    name, text = write(project)
    return {name: text, "package.json": json.dumps(manifest, indent=2) + "\n"}


def _npm(project: Project) -> tuple[str, str]:
    root: dict[str, Any] = {"name": "app", "version": "1.0.0", "dependencies": project.asked}
    if project.mention:
        root["overrides"] = {"axios": "1.14.1"}
    packages: dict[str, Any] = {"": root}
    for name, version in sorted(project.pins.items()):
        entry: dict[str, Any] = {"version": version, "integrity": INTEGRITY}
        if project.needs(name):
            entry["dependencies"] = project.needs(name)
        if name == "plain-crypto-js":
            entry["hasInstallScript"] = True
        packages[f"node_modules/{name}"] = entry
    return "package-lock.json", json.dumps({"name": "app", "lockfileVersion": 3, "packages": packages}, indent=2)


def _pnpm(project: Project) -> tuple[str, str]:
    lines = ["lockfileVersion: '9.0'", ""]
    if project.mention:
        lines += ["overrides:", "  axios: 1.14.1", ""]
    lines += ["importers:", "", "  .:", "    dependencies:"]
    for name, wanted in sorted(project.asked.items()):
        lines += [f"      {name}:", f"        specifier: {wanted}", f"        version: {project.pins[name]}"]
    lines += ["", "packages:", ""]
    for name, version in sorted(project.pins.items()):
        lines += [f"  {name}@{version}:", f"    resolution: {{integrity: {INTEGRITY}}}", ""]
    lines += ["snapshots:", ""]
    for name, version in sorted(project.pins.items()):
        needs = project.needs(name)
        lines.append(f"  {name}@{version}:" + ("" if needs else " {}"))
        if needs:
            lines += ["    dependencies:", *(f"      {one}: {project.pins[one]}" for one in needs)]
        lines.append("")
    return "pnpm-lock.yaml", "\n".join(lines)


def _yarn(project: Project) -> tuple[str, str]:
    lines = ["# yarn lockfile v1", "", ""]
    for name, version in sorted(project.pins.items()):
        lines += [f"{name}@{_wanted(project, name)}:", f'  version "{version}"', f"  integrity {INTEGRITY}"]
        if project.needs(name):
            lines += ["  dependencies:", *(f'    {one} "{wanted}"' for one, wanted in project.needs(name).items())]
        lines.append("")
    return "yarn.lock", "\n".join(lines)


def _berry(project: Project) -> tuple[str, str]:
    lines = ["__metadata:", "  version: 8", "  cacheKey: 10c0", ""]
    asked = "".join(f'    {name}: "npm:{wanted}"\n' for name, wanted in sorted(project.asked.items()))
    lines += ['"app@workspace:.":', "  version: 0.0.0-use.local", '  resolution: "app@workspace:."']
    lines += ["  dependencies:", asked.rstrip("\n"), "  languageName: unknown", "  linkType: soft", ""]
    for name, version in sorted(project.pins.items()):
        lines += [f'"{name}@npm:{_wanted(project, name)}":', f"  version: {version}"]
        lines.append(f'  resolution: "{name}@npm:{version}"')
        if project.needs(name):
            lines += ["  dependencies:", *(f'    {one}: "npm:{wanted}"' for one, wanted in project.needs(name).items())]
        lines += ["  checksum: 10c0/aa", "  languageName: node", "  linkType: hard", ""]
    return "yarn.lock", "\n".join(lines)


def _bun(project: Project) -> tuple[str, str]:
    packages = {
        name: [f"{name}@{version}", "", {"dependencies": project.needs(name)} if project.needs(name) else {}, INTEGRITY]
        for name, version in sorted(project.pins.items())
    }
    document: dict[str, Any] = {
        "lockfileVersion": 1,
        "workspaces": {"": {"name": "app", "dependencies": project.asked}},
    }
    if project.mention:
        document["overrides"] = {"axios": "1.14.1"}
    return "bun.lock", json.dumps({**document, "packages": packages}, indent=2)


def _uv(project: Project) -> Mapping[str, str]:
    """Return a Python project: a package of the same name as the one in question is another one there."""
    pins = {"axios": "1.14.1", **dict(project.others)}
    lines = ["version = 1", 'requires-python = ">=3.11"', ""]
    for name, version in sorted(pins.items()):
        source = 'source = { registry = "https://index.invalid/simple" }'
        lines += ["[[package]]", f'name = "{name}"', f'version = "{version}"', source, ""]
    asked = ", ".join(f'"{name}"' for name in sorted(pins))
    manifest = f'[project]\nname = "app"\nversion = "1.0.0"\ndependencies = [{asked}]\n'
    return {"uv.lock": "\n".join(lines), "pyproject.toml": manifest}


def _wanted(project: Project, name: str) -> str:
    every = {**project.asked, **{one: text for owner in project.pins for one, text in project.needs(owner).items()}}
    return every.get(name, f"^{project.pins[name]}")
