"""What every test lives in: no network but loopback, a home of its own, none of the user's settings."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import wraps
from ipaddress import ip_address
from operator import itemgetter
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests import services

settings.register_profile("lazaretto", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lazaretto")

PRIVATE_PREFIXES = ("LAZARETTO_", "NPM_", "PIP_", "UV_", "PNPM_", "YARN_", "BUN_", "POETRY_", "PDM_")
PRIVATE_SUFFIXES = ("_PROXY", "_TOKEN", "_NETRC")


class NetworkRefused(RuntimeError):
    """A test asked for something outside this machine. Use a server on loopback."""


class _Guard:
    """Refuses connections that leave this machine.

    It stands in front of Python's own sockets and resolver. An audit hook would see more, and may not be used under
    coverage: before 3.12 a thread cannot be traced while another one's ``sys.settrace`` is in such a hook.
    """

    def __init__(self) -> None:
        self.active = True

    def __call__(self, event: str, host: object) -> None:
        if self.active and not _is_here(host):
            raise NetworkRefused(f"{event} to {host!r}: tests talk to loopback only")

    def stand_before(self, owner: object, name: str, host: Callable[[tuple[Any, ...]], object]) -> None:
        """Ask before each call of ``owner.name``; ``host`` takes the host out of the call's arguments."""
        asked = getattr(owner, name)

        @wraps(asked)
        def guarded(*arguments: Any, **named: Any) -> Any:
            self(f"socket.{name}", host((*arguments, *named.values())))
            return asked(*arguments, **named)

        setattr(owner, name, guarded)


def _addressed(arguments: tuple[Any, ...]) -> object:
    """Return the host of a socket's call: its address is a pair, or longer, that begins with one."""
    return next((part[0] for part in arguments[1:] if isinstance(part, tuple)), None)


def _is_here(host: object) -> bool:
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if text is None or text in {"", "localhost"}:
        return True  # a Unix socket, or every address of this machine
    with suppress(ValueError):
        return ip_address(str(text)).is_loopback
    return False


_guard = _Guard()
for _name in ("connect", "connect_ex", "sendto", "sendmsg"):
    _guard.stand_before(socket.socket, _name, _addressed)
for _name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr"):
    _guard.stand_before(socket, _name, itemgetter(0))


@pytest.fixture(autouse=True)
def _network(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let the tests marked ``network`` out, and nobody else."""
    _guard.active = request.node.get_closest_marker("network") is None
    yield
    _guard.active = True


@pytest.fixture(autouse=True, scope="session")
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give the tests a home, caches and state of their own, and none of the user's settings or secrets."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            upper = name.upper()
            if upper.startswith(PRIVATE_PREFIXES) or upper.endswith(PRIVATE_SUFFIXES):
                patch.delenv(name)
        patch.setenv("HOME", str(home))
        for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
            patch.setenv(name, str(home / name.lower()))
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[services.Postgres]:
    """Return a PostgreSQL server, started for the tests that ask for it."""
    with services.postgres() as made:
        yield made


@pytest.fixture(scope="session")
def store() -> Iterator[services.Store]:
    """Return an object store, started for the tests that ask for it."""
    with services.store() as made:
        yield made
