"""npm's configuration, as npm itself finds and reads it: ``.npmrc`` files, environment, its own default.

See npm's documentation of ``npmrc`` and ``config``. The default registry is nowhere in this program: it is
read from the files of the npm that the user has installed.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct, field

from lazaretto.app.ports import Unavailable
from lazaretto.core.npmrc_text import parse_ini
from lazaretto.infra.redact import Secret, shown
from lazaretto.infra.transport import Credentials, Transport, basic, environment_proxies

_DEFINITIONS = ("node_modules/@npmcli/config/lib/definitions/definitions.js", "lib/utils/config/definitions.js")


class NpmConfig(Struct, frozen=True):
    """Which registry holds which package, and what is sent to it.

    ``values`` are the effective settings; those of one host have its path in front, as in
    ``//host/path/:_authToken``. ``origin`` says where the registry was found; ``default`` is npm's own
    default registry, if it is known.
    """

    registry: str
    origin: str
    values: Mapping[str, Secret] = field(default_factory=dict)
    transport: Transport = Transport()
    default: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every registry that may be asked."""
        scoped = (one.reveal() for key, one in self.values.items() if key.startswith("@") and key.endswith(":registry"))
        return (self.registry, *map(_slashed, scoped))

    def registry_for(self, name: str) -> str:
        """Return the registry of a package, with a slash at its end: that of its scope, or the usual one."""
        if name.startswith("@"):
            scoped = self.values.get(f"{name.partition('/')[0]}:registry")
            if scoped is not None:
                return _slashed(scoped.reveal())
        return self.registry

    def credentials(self, url: str, name: str) -> Credentials | None:
        """Return what npm would send to an address: by the most specific path, else as to its registry there."""
        found = self._of(url)
        if found is None:
            registry = self.registry_for(name)
            if urlsplit(registry)[:2] == urlsplit(url)[:2]:
                found = self._of(registry)
        return found

    def artifact_url(self, url: str, name: str) -> str:
        """Return where npm would ask for a tarball: setting ``replace-registry-host``, by default for its own host."""
        registry = urlsplit(self.registry_for(name))
        given = urlsplit(url)
        setting = self._value("replace-registry-host") or "npmjs"
        usual = urlsplit(self.default).hostname if self.default else None
        replaced = {"always": given.hostname, "never": None, "npmjs": usual}.get(setting, setting)
        if replaced is not None and given.hostname == replaced and given.netloc != registry.netloc:
            path = given.path
            if registry.path.strip("/") and not path.startswith(registry.path):
                path = registry.path.rstrip("/") + path
            return given._replace(scheme=registry.scheme, netloc=registry.netloc, path=path).geturl()
        if given.scheme == "http" and registry.scheme == "https" and given.netloc == registry.netloc:
            return given._replace(scheme="https").geturl()
        return url

    def _value(self, key: str) -> str | None:
        secret = self.values.get(key)
        return secret.reveal() if secret is not None else None

    def _of(self, url: str) -> Credentials | None:
        parsed = urlsplit(url)
        key = f"//{parsed.netloc.rpartition('@')[2]}{parsed.path}"
        while len(key) > len("//"):
            found = self._at(key)
            if found is not None:
                return found
            key = re.sub(r"([^/]+|/)$", "", key)
        return None

    def _at(self, key: str) -> Credentials | None:
        token, pair = self._value(f"{key}:_authtoken"), self._value(f"{key}:_auth")
        user, password = self._value(f"{key}:username"), self._value(f"{key}:_password")
        certificate, private = self._value(f"{key}:certfile"), self._value(f"{key}:keyfile")
        files = (certificate, private) if certificate and private else None
        if token:
            return Credentials(Secret(f"Bearer {token}"), files)
        if pair:
            return Credentials(Secret(f"Basic {pair}"), files)
        if user and password:
            return Credentials(basic(user, _decoded(password)), files)
        return Credentials(None, files) if files else None


def load(env: Mapping[str, str], folder: Path) -> NpmConfig:
    """Return the configuration that npm would have in ``folder``.

    Raises:
        Unavailable: no registry is configured and no npm is installed to ask for its default.
    """
    notes: list[str] = []
    npm = _package_folder(env)
    values: dict[str, str] = {}
    for path in _files(env, folder, npm):
        values.update(_read(path, env, notes))
    values.update(_environment(env))
    default = _default(npm)
    registry, origin = values.get("registry"), "your npm configuration"
    if not registry:
        registry, origin = default, "npm's own default"
    if not registry:
        registry, origin = _ask_npm(env), "npm's own answer"
    if not registry:
        raise Unavailable(
            "no npm registry is known: npm is not installed and nothing names one; "
            "write registry=<address> into ~/.npmrc, or set NPM_CONFIG_REGISTRY"
        )
    if not registry.lower().startswith(("http://", "https://")):
        raise Unavailable(f"the npm registry of {origin}, {shown(registry)}, is no http or https address: correct it")
    return NpmConfig(
        registry=_slashed(registry),
        origin=origin,
        values={key: Secret(value) for key, value in values.items()},
        transport=_transport(values, env),
        default=default,
        notes=tuple(notes),
    )


def _read(path: Path, env: Mapping[str, str], notes: list[str]) -> dict[str, str]:
    """Return the settings of one file, ``${NAME}`` replaced; keys in lower case except for paths and scopes."""
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        notes.append(f"{path} cannot be read: {error}")
        return {}
    return {_key(expand(key, env)): expand(value, env) for key, value in parse_ini(text)}


def expand(text: str, env: Mapping[str, str]) -> str:
    """Replace ``${NAME}`` from the environment; unset names stay, or with ``?`` are empty; a backslash quotes."""

    def value(match: re.Match[str]) -> str:
        if len(match[1]) % 2:
            return match[0][(len(match[1]) + 1) // 2 :]
        known = env.get(match[2], "" if match[3] else f"${{{match[2]}}}")
        return match[1][len(match[1]) // 2 :] + known

    return re.sub(r"(?<!\\)(\\*)\$\{([^${}?]+)(\?)?\}", value, text)


def _key(key: str) -> str:
    """Return a setting's name so that spellings meet: only what follows the last colon of a host's is folded."""
    if key.startswith("//"):
        host, _, name = key.rpartition(":")
        return f"{host}:{name.lower()}"
    return key if key.startswith("@") else key.lower()


def _environment(env: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of ``npm_config_*``, whatever their case; ``_`` inside stands for ``-``."""
    found = {}
    for name, value in sorted(env.items()):
        if value and name.lower().startswith("npm_config_"):
            key = name[len("npm_config_") :]
            found[_key(key if key.startswith(("//", "@")) else key[:1] + key[1:].replace("_", "-"))] = value
    return found


def _files(env: Mapping[str, str], folder: Path, npm: Path | None) -> list[Path]:
    """Return the configuration files from the weakest to the strongest: built in, global, user, project."""
    lowered = _environment(env)
    home = Path(env.get("HOME") or env.get("USERPROFILE") or "~").expanduser()
    user = Path(lowered.get("userconfig") or home / ".npmrc")
    files = [npm / "npmrc"] if npm is not None else []
    settings = _read(files[0], env, []) if files else {}
    prefix = lowered.get("prefix") or _read(user, env, []).get("prefix") or settings.get("prefix") or _prefix(env)
    globally = lowered.get("globalconfig") or settings.get("globalconfig") or (f"{prefix}/etc/npmrc" if prefix else "")
    files += [Path(globally)] if globally else []
    files.append(user)
    project = _project(folder) / ".npmrc"
    return files if project in files else [*files, project]


def _project(folder: Path) -> Path:
    """Return the nearest folder upwards that npm takes for a project's root, or ``folder`` itself."""
    for candidate in (folder, *folder.parents):
        if (candidate / "package.json").exists() or (candidate / "node_modules").exists():
            return candidate
    return folder


def _prefix(env: Mapping[str, str]) -> str | None:
    from shutil import which

    node = env.get("PREFIX") or which("node", path=env.get("PATH"))
    if node is None or env.get("PREFIX"):
        return node
    return os.path.dirname(os.path.dirname(os.path.abspath(node))) if os.name != "nt" else os.path.dirname(node)


def _package_folder(env: Mapping[str, str]) -> Path | None:
    """Return the folder of the npm package that the ``npm`` on the path belongs to, without running it."""
    from shutil import which

    found = which("npm", path=env.get("PATH"))
    if found is None:
        return None
    program = Path(os.path.realpath(found))
    nearby = program.parent / "node_modules" / "npm"
    for candidate in (*program.parents, nearby, program.parent.parent / "lib" / "node_modules" / "npm"):
        if any((candidate / path).is_file() for path in _DEFINITIONS):
            return candidate
    return None


def _default(npm: Path | None) -> str | None:
    """Return npm's default registry, from the definitions of its settings."""
    for path in _DEFINITIONS if npm is not None else ():
        try:
            text = (Path(str(npm)) / path).read_text("utf-8")
        except OSError:
            continue
        match = re.search(r"""['"]registry['"],\s*\{\s*default:\s*['"]([^'"]+)['"]""", text)
        if match is not None:
            return _slashed(match[1])
    return None


def _ask_npm(env: Mapping[str, str]) -> str | None:
    """Return npm's answer, from an empty folder: for installations whose files lie elsewhere."""
    import subprocess
    from shutil import which
    from tempfile import TemporaryDirectory

    program = which("npm", path=env.get("PATH"))
    if program is None:
        return None
    with TemporaryDirectory() as empty:
        try:
            run = subprocess.run(  # noqa: S603 - the user's own npm, with fixed words
                [program, "config", "get", "registry"],
                cwd=empty,
                env=dict(env),
                capture_output=True,
                timeout=20,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
    answer = run.stdout.decode("utf-8", "replace").strip()
    return answer if run.returncode == 0 and answer.startswith(("http://", "https://")) else None


def _transport(values: Mapping[str, str], env: Mapping[str, str]) -> Transport:
    cafile, pem = values.get("cafile"), values.get("ca", "")
    proxy = values.get("https-proxy") or values.get("proxy")
    return Transport(
        proxies=environment_proxies(env, _set(proxy), _set(values.get("noproxy"))),
        ca_files=(os.path.expanduser(cafile),) if _set(cafile) and cafile else (),
        ca_data=pem.replace("\\n", "\n") if _set(pem) else "",
        extra_ca_files=() if _set(cafile) or _set(pem) else tuple(filter(None, (env.get("NODE_EXTRA_CA_CERTS"),))),
        verify=values.get("strict-ssl", "true").lower() != "false",
    )


def _set(value: str | None) -> str | None:
    return None if value is None or value.lower() in ("", "null", "false", "undefined") else value


def _slashed(url: str) -> str:
    return url if url.endswith("/") else f"{url}/"


def _decoded(password: str) -> str:
    """Return npm's ``_password``, which is kept in base64."""
    from base64 import b64decode

    try:
        return b64decode(password).decode("utf-8", "replace")
    except ValueError:
        return password
