"""npm: ``.npmrc`` of project, home and system, ``npm_config_*``, ``package.json``.

Sources: npm's own definitions of its settings (``@npmcli/config``, ``lib/definitions/definitions.js``, npm 11.19 and
11.21): ``min-release-age`` is a number of days, ``before`` a date that wins within one source; ``ignore-scripts``,
``strict-ssl``, ``allow-git``, ``strict-allow-scripts``, ``dangerously-allow-all-scripts``, ``replace-registry-host``.
npm 12 (changelog of 12.0.0, and GitHub's changelog of 2026-06-09): scripts of dependencies run only if ``allowScripts``
of ``package.json`` names them; ``allow-git`` and ``allow-remote`` are ``none``. ``min-release-age`` is not asked by
``npm ci``: npm/cli#9281.
"""

from collections.abc import Iterator
from datetime import timedelta

from lazaretto.app.doctor.client import Client, Found, dependencies, origin, plain_http, version
from lazaretto.app.doctor.cooldown import judge
from lazaretto.app.doctor.machine import Machine
from lazaretto.app.doctor.settings import Settings, Value, first, json5, npmrc, variable
from lazaretto.core.posture import ADVISED_DAYS, Advice, PrivateName, Severity, Standing, amount

CLIENT = Client("npm", ("package-lock.json", "npm-shrinkwrap.json", "~/.npmrc", ".npmrc"), ("npm",))

_COOLDOWN = f"npm config set min-release-age={ADVISED_DAYS}"
_SCRIPTS_BLOCKED = (12, 0)


def examine(machine: Machine) -> Iterator[Found]:
    """Yield what is to be said of npm."""
    files = [npmrc(machine, path) for path in (".npmrc", "~/.npmrc", "/etc/npmrc")]
    manifest = json5(machine, "package.json")
    yield from _cooldown(machine, files)
    yield from _scripts(machine, files)
    yield from _transport(machine, files)
    yield from _scopes(files, manifest)
    yield from _unscoped(machine, files, manifest)


def setting(machine: Machine, files: list[Settings], key: str) -> Value | None:
    """Return npm's effective setting: environment, project, user, system."""
    name = key.replace("-", "_")
    return first(
        variable(machine, f"npm_config_{name}"),
        variable(machine, f"NPM_CONFIG_{name.upper()}"),
        *(one.get(key) for one in files),
    )


def _cooldown(machine: Machine, files: list[Settings]) -> Iterator[Found]:
    before, age = setting(machine, files, "before"), setting(machine, files, "min-release-age")
    if before is not None and age is None:
        message = "before is a fixed date: it does not move on, and hides every fix that came since"
        yield Advice("cooldown-fixed-date", "npm", Severity.LOW, message, _COOLDOWN, (before.place,))
        return
    missing = "no min-release-age: a release is installed the minute it appears"
    days = timedelta(days=1)
    yield from judge("npm", "min-release-age", age, lambda text: amount(text, days), "days", _COOLDOWN, missing=missing)
    if age is not None:
        told = "npm ci installs what the lockfile says whatever its age (npm/cli#9281): check the lockfile as well"
        yield Standing("npm", told, (age.place,))


def _scripts(machine: Machine, files: list[Settings]) -> Iterator[Found]:
    everything = setting(machine, files, "dangerously-allow-all-scripts")
    if everything is not None and everything.true:
        message = "dangerously-allow-all-scripts: every package may run a script at installation"
        remedy = "npm config delete dangerously-allow-all-scripts"
        yield Advice("scripts-allowed", "npm", Severity.HIGH, message, remedy, (everything.place,))
        return
    ignored, strict = setting(machine, files, "ignore-scripts"), setting(machine, files, "strict-allow-scripts")
    for value, told in ((ignored, "no package runs scripts"), (strict, "only packages in allowScripts run scripts")):
        if value is not None and value.true:
            yield Standing("npm", f"{told} at installation", (value.place,))
            return
    known = version("npm", machine)
    if known is not None and known >= _SCRIPTS_BLOCKED:
        yield Standing("npm", f"npm {known[0]} runs no script of a package that allowScripts does not name")
        return
    message = "scripts of packages run at installation (npm before 12 asks nobody)"
    places = (ignored.place,) if ignored is not None else ()
    yield Advice("scripts-on", "npm", Severity.MEDIUM, message, "npm config set ignore-scripts=true", places)


def _transport(machine: Machine, files: list[Settings]) -> Iterator[Found]:
    strict = setting(machine, files, "strict-ssl")
    if strict is not None and strict.false:
        message = "strict-ssl is off: whoever is on the way to the registry decides what is installed"
        yield Advice("tls-off", "npm", Severity.HIGH, message, "npm config set strict-ssl=true", (strict.place,))
    remedy = "write the address with https://"
    yield from plain_http("npm", "the registry", setting(machine, files, "registry"), remedy)
    for one in files:
        for (key, *_), value in one.under():
            if key.startswith("@") and key.endswith(":registry"):
                yield from plain_http("npm", f"the registry of {key.partition(':')[0]}", value, remedy)


def _scopes(files: list[Settings], manifest: Settings) -> Iterator[Found]:
    """Yield scopes that are private here and public for whoever lacks a line of this home's settings."""
    project, *elsewhere = files
    name, private = manifest.get("name"), manifest.get("private")
    own = name.text.partition("/")[0] if name is not None and name.text.startswith("@") else ""
    for scope in sorted({one.partition("/")[0] for one in dependencies(manifest) if one.startswith("@")}):
        key = f"{scope}:registry"
        asked = sorted(one for one in dependencies(manifest) if one.startswith(f"{scope}/"))
        place = (dependencies(manifest)[asked[0]].place,)
        at_home = first(*(one.get(key) for one in elsewhere))
        if project.get(key) is not None:
            yield Standing("npm", f"{scope} comes from a registry of its own", (project.place((key,)),))
        elif at_home is not None:
            message = (
                f"{scope} has a registry of its own in the home only: whoever checks this project out, CI too, asks "
                f"the public registry for {', '.join(asked[:3])}"
            )
            remedy = f"copy the line {key}=… into the project's .npmrc"
            yield Advice("scope-not-in-project", "npm", Severity.HIGH, message, remedy, (*place, at_home.place))
            yield from (PrivateName("npm", one) for one in asked)
        elif scope == own and private is not None and private.true:
            message = f"{scope} is a private project's scope, but {', '.join(asked[:3])} is asked of the usual registry"
            remedy = f"write {key}=<your registry> into the project's .npmrc, or claim the scope on the public one"
            yield Advice("scope-public", "npm", Severity.MEDIUM, message, remedy, place)
            yield from (PrivateName("npm", one) for one in asked)


def _unscoped(machine: Machine, files: list[Settings], manifest: Settings) -> Iterator[Found]:
    """Yield names without a scope that the lockfile has from another registry than the usual one."""
    usual = setting(machine, files, "registry")
    direct = {name for name in dependencies(manifest) if not name.startswith("@")}
    hosts: dict[str, set[str]] = {}
    for (*path, key), text in json5(machine, "package-lock.json").texts.items():
        if key == "resolved" and path[:1] == ["packages"] and len(path) == 2 and origin(text):
            hosts.setdefault(origin(text), set()).add(path[1].rpartition("node_modules/")[2])
    if usual is not None or len(hosts) < 2:
        return
    common = max(hosts, key=lambda host: (len(hosts[host]), host))
    names = sorted({name for host, found in hosts.items() if host != common for name in found} & direct)
    if names:
        message = (
            f"{', '.join(names[:3])} without a scope came from another registry than the rest: no setting of this "
            "project says so, and an update asks the public one"
        )
        remedy = "move private packages into a scope, and write @scope:registry=… into the project's .npmrc"
        places = tuple(dependencies(manifest)[name].place for name in names[:3])
        yield Advice("private-name-unscoped", "npm", Severity.HIGH, message, remedy, places)
        yield from (PrivateName("npm", name) for name in names)
