"""pip's and uv's configuration, as they find and read it: files, environment, netrc, pip's own default index.

See pip's documentation of *Configuration* and uv's of *Settings*. The default index is nowhere in this program: it
is read from the files of the pip that the user has installed.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from lazaretto.app.ports import Unavailable
from lazaretto.infra.pipdefault import default_index
from lazaretto.infra.redact import Secret, shown, without_credentials
from lazaretto.infra.transport import Credentials, Transport, basic, environment_proxies


class Index(Struct, frozen=True):
    """One index: its address without credentials and with a slash at its end, and who is sent to it."""

    url: str
    credentials: Credentials | None = None

    @property
    def is_file(self) -> bool:
        """Whether the index is a folder of this machine."""
        return self.url.startswith("file:")


class PipConfig(Struct, frozen=True):
    """The indexes in the order in which they are asked; ``origin`` says where the first one was found."""

    indexes: tuple[Index, ...]
    origin: str
    transport: Transport = Transport()
    notes: tuple[str, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every index that may be asked."""
        return tuple(index.url for index in self.indexes)

    def credentials(self, url: str) -> Credentials | None:
        """Return what is sent to an address: that of the index on the same scheme, host and port, or nothing."""
        wanted = _site(url)
        return next(
            (index.credentials for index in self.indexes if index.credentials and _site(index.url) == wanted), None
        )


class _Settings(Struct):
    """What the clients are told, from all their sources together."""

    primary: str | None = None
    origin: str = ""
    extra: tuple[str, ...] = ()
    no_index: bool = False


def load(env: Mapping[str, str], folder: Path) -> PipConfig:
    """Return the indexes that the user's installer would ask in ``folder``.

    uv's environment comes first, then the project's own uv settings, pip's environment and files, uv's
    files of user and system, and last pip's default index.

    Raises:
        Unavailable: no index is configured and no pip is installed to tell its default.
    """
    notes: list[str] = []
    pip = _pip_settings(env, notes)
    found = _Settings()
    for settings in (_uv_environment(env), _uv_project(folder, notes), _from_pip(pip), _uv_user(env, notes)):
        if found.primary is None and settings.primary:
            found.primary, found.origin = settings.primary, settings.origin
        found.extra += tuple(url for url in settings.extra if url not in found.extra)
        found.no_index |= settings.no_index
    if found.no_index:
        raise Unavailable(
            "your pip configuration says no-index: no registry may be asked; scan local archives, or unset it"
        )
    if found.primary is None:
        found.primary, found.origin = default_index(env), "pip's own default"
    urls = [url for url in (found.primary, *found.extra) if url]
    if found.primary is None:
        raise Unavailable(
            "no Python package index is known: pip is not installed and nothing names one; "
            "set PIP_INDEX_URL, or write index-url into pip.conf"
        )
    if pip.get("find-links"):
        notes.append("find-links of your pip configuration is not asked: only indexes are")
    netrc = _Netrc(env)
    try:
        indexes = tuple(dict.fromkeys(_index(url, netrc) for url in urls))
    except ValueError:
        raise Unavailable("an index address of your configuration cannot be read: correct it") from None
    return PipConfig(
        indexes=indexes,
        origin=found.origin,
        transport=_transport(pip, env),
        notes=tuple(notes),
    )


def _index(url: str, netrc: "_Netrc") -> Index:
    """Return an index with the credentials of its address, or else those of netrc."""
    parsed = urlsplit(url)
    if parsed.scheme not in ("http", "https", "file"):
        raise Unavailable(f"the index {shown(url)} is no http, https or file address: correct your configuration")
    bare = without_credentials(url).partition("#")[0]
    bare = bare if bare.endswith("/") else f"{bare}/"
    if parsed.scheme == "file":
        return Index(bare)
    if parsed.username is not None:
        return Index(bare, Credentials(basic(unquote(parsed.username), unquote(parsed.password or ""))))
    secret = netrc.of(parsed.hostname or "")
    return Index(bare, Credentials(secret) if secret is not None else None)


class _Netrc:
    """The user's netrc file, read when a host is first looked up."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env

    def of(self, host: str) -> Secret | None:
        """Return what netrc says for a host, as an ``Authorization`` value."""
        import netrc

        home = Path(self._env.get("HOME") or self._env.get("USERPROFILE") or "~").expanduser()
        named = self._env.get("NETRC")
        for path in [Path(named)] if named else [home / ".netrc", home / "_netrc"]:
            try:
                found = netrc.netrc(str(path)).authenticators(host)
            except (OSError, UnicodeDecodeError, netrc.NetrcParseError):
                continue
            if found is not None:
                return basic(found[0], found[2] or "")
        return None


def _from_pip(pip: Mapping[str, str]) -> _Settings:
    return _Settings(
        primary=pip.get("index-url"),
        origin="your pip configuration",
        extra=tuple(pip.get("extra-index-url", "").split()),
        no_index=pip.get("no-index", "").lower() in ("1", "true", "yes", "on"),
    )


def _pip_settings(env: Mapping[str, str], notes: list[str]) -> dict[str, str]:
    """Return pip's settings: files from the weakest to the strongest, then ``PIP_*``."""
    import configparser

    settings: dict[str, str] = {}
    commands: dict[str, str] = {}
    for path in _pip_files(env):
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read_string(path.read_text("utf-8-sig"))
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError, configparser.Error) as error:
            notes.append(f"{path} cannot be read: {str(error).splitlines()[0]}")
            continue
        for section, target in (("global", settings), ("install", commands)):
            if parser.has_section(section):
                target.update({key.replace("_", "-"): value for key, value in parser.items(section)})
    settings.update(commands)  # a command's own section is stronger than [global] of any file
    for name, value in sorted(env.items()):
        if name.startswith("PIP_") and value:
            settings[name[4:].lower().replace("_", "-")] = value
    return settings


def _pip_files(env: Mapping[str, str]) -> Iterator[Path]:
    """Yield the places of pip's files: global, user (old and new), environment, then the one that is named."""
    import sys

    named = env.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return
    home = Path(env.get("HOME") or env.get("USERPROFILE") or "~").expanduser()
    prefix = Path(env.get("VIRTUAL_ENV") or sys.prefix)
    if sys.platform == "win32":
        yield Path(env.get("PROGRAMDATA", "C:/ProgramData")) / "pip/pip.ini"
        yield home / "pip/pip.ini"
        yield Path(env.get("APPDATA", str(home))) / "pip/pip.ini"
        yield prefix / "pip.ini"
    else:
        if sys.platform == "darwin":
            yield Path("/Library/Application Support/pip/pip.conf")
        else:
            for folder in reversed((env.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")):
                yield Path(folder) / "pip/pip.conf"
            yield Path("/etc/pip.conf")
        yield home / ".pip/pip.conf"
        support = home / "Library/Application Support/pip"
        config = Path(env.get("XDG_CONFIG_HOME") or home / ".config")
        yield support / "pip.conf" if sys.platform == "darwin" and support.is_dir() else config / "pip/pip.conf"
        yield prefix / "pip.conf"
    if named:
        yield Path(named)


def _uv_environment(env: Mapping[str, str]) -> _Settings:
    extra = [*env.get("UV_INDEX", "").split(), *env.get("UV_EXTRA_INDEX_URL", "").split()]
    primary = env.get("UV_DEFAULT_INDEX") or env.get("UV_INDEX_URL") or None
    return _Settings(
        primary=_unnamed(primary) if primary else None,
        origin="uv's environment (UV_DEFAULT_INDEX, UV_INDEX_URL)",
        extra=tuple(_unnamed(url) for url in extra),
        no_index=env.get("UV_NO_INDEX", "").lower() in ("1", "true", "yes"),
    )


def _unnamed(text: str) -> str:
    """Return the address of uv's ``name=address``."""
    name, equals, url = text.partition("=")
    return url if equals and "://" in url and "://" not in name else text


def _uv_project(folder: Path, notes: list[str]) -> _Settings:
    """Return the settings of the nearest ``uv.toml``, or ``[tool.uv]`` of a ``pyproject.toml``, upwards."""
    for candidate in (folder, *folder.parents):
        table = _toml(candidate / "uv.toml", notes)
        if table is None:
            project = _toml(candidate / "pyproject.toml", notes) or {}
            tool = project.get("tool")
            table = tool.get("uv") if isinstance(tool, dict) else None
        if isinstance(table, dict):
            return _uv_table(table, f"the uv settings of {candidate}")
    return _Settings()


def _uv_user(env: Mapping[str, str], notes: list[str]) -> _Settings:
    home = Path(env.get("HOME") or env.get("USERPROFILE") or "~").expanduser()
    config = Path(env.get("XDG_CONFIG_HOME") or env.get("APPDATA") or home / ".config")
    for path in (config / "uv/uv.toml", Path("/etc/uv/uv.toml")):
        table = _toml(path, notes)
        if table is not None:
            return _uv_table(table, f"{path}")
    return _Settings()


def _uv_table(table: Mapping[str, Any], origin: str) -> _Settings:
    pip = table.get("pip")
    primary = table.get("index-url") or (pip.get("index-url") if isinstance(pip, dict) else None)
    extra = [url for url in table.get("extra-index-url") or () if isinstance(url, str)]
    for index in table.get("index") or ():
        url = index.get("url") if isinstance(index, dict) else None
        if not isinstance(url, str) or index.get("explicit"):
            continue  # an explicit index serves only the packages that name it
        if index.get("default"):
            primary = url
        else:
            extra.append(url)
    return _Settings(primary=primary if isinstance(primary, str) else None, origin=origin, extra=tuple(extra))


def _toml(path: Path, notes: list[str]) -> dict[str, Any] | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    import tomllib

    try:
        return tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        notes.append(f"{path} cannot be read: {error}")
        return None


def _transport(pip: Mapping[str, str], env: Mapping[str, str]) -> Transport:
    bundle = pip.get("cert") or env.get("REQUESTS_CA_BUNDLE") or env.get("CURL_CA_BUNDLE") or env.get("SSL_CERT_FILE")
    trusted = [*pip.get("trusted-host", "").split(), *env.get("UV_INSECURE_HOST", "").split()]
    return Transport(
        proxies=environment_proxies(env, pip.get("proxy")),
        ca_files=(os.path.expanduser(bundle),) if bundle else (),
        insecure_hosts=tuple(trusted),
    )


def _site(url: str) -> tuple[str, str | None, int | None]:
    parsed = urlsplit(url)
    return (parsed.scheme, parsed.hostname, parsed.port)
