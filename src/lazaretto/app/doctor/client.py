"""What a module of ``app/doctor/clients`` offers, and what several of them ask in the same way."""

from collections.abc import Iterator, Mapping
from typing import Protocol
from urllib.parse import urlsplit

from msgspec import Struct

from lazaretto.app.doctor.cooldown import Said
from lazaretto.app.doctor.machine import Machine
from lazaretto.app.doctor.settings import Settings, Value, json5
from lazaretto.core.posture import Advice, PrivateName, Severity

Found = Said | PrivateName


class Client(Struct, frozen=True):
    """A client: its name, and how one sees that it is used here.

    ``files`` are its own files in a project or a home, ``programs`` its commands. Where none of them is, nothing is
    said of it.
    """

    id: str
    files: tuple[str, ...]
    programs: tuple[str, ...] = ()


class ClientModule(Protocol):
    """The names a module ``clients/<client>.py`` exposes."""

    CLIENT: Client

    def examine(self, machine: Machine) -> Iterator[Found]:
        """Yield what is to be said of this client's settings."""
        ...


def used(client: Client, machine: Machine) -> bool:
    """Whether a client is used here: by its files, its programs, or by ``packageManager`` of the project."""
    if any(machine.program(program) for program in client.programs):
        return True
    return any(machine.read(path) is not None for path in client.files) or version(client.id, machine) is not None


def version(client: str, machine: Machine) -> tuple[int, int] | None:
    """Return the version of a Node.js client that the project asks for (``packageManager``), else None."""
    value = json5(machine, "package.json").get("packageManager")
    name, _, text = (value.text if value else "").partition("@")
    numbers = text.partition("+")[0].split(".")
    if name != client or len(numbers) < 2 or not all(part.isdecimal() for part in numbers[:2]):
        return None
    return int(numbers[0]), int(numbers[1])


def plain_http(client: str, what: str, value: Value | None, remedy: str) -> Iterator[Advice]:
    """Yield advice if an address is not encrypted, unless it is this machine's own."""
    if value is None:
        return
    address = urlsplit(value.text.strip())
    if address.scheme == "http" and not is_local(address.hostname or ""):
        message = f"{what} is asked without encryption: whoever is on the way decides what is installed"
        yield Advice("registry-plain-http", client, Severity.HIGH, message, remedy, (value.place,))


def is_local(host: str) -> bool:
    """Whether a host is this machine."""
    return host in {"localhost", "::1"} or host.startswith("127.")


def origin(text: str) -> str:
    """Return scheme, host and port of an address, for a folder its scheme: a path may hold a token."""
    try:
        address = urlsplit(text.strip())
        port = f":{address.port}" if address.port else ""
    except ValueError:
        return ""
    if address.scheme == "file":
        return "file:"
    return f"{address.scheme}://{address.hostname}{port}" if address.scheme and address.hostname else ""


DEPENDENCIES = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")


def dependencies(manifest: Settings) -> Mapping[str, Value]:
    """Return what a ``package.json`` asks of a registry: name -> range; no files, links or aliases."""
    found: dict[str, Value] = {}
    for group in DEPENDENCIES:
        for path, value in manifest.under(group):
            if len(path) == 1 and not value.text.startswith(("file:", "link:", "workspace:", "npm:", "git", "http")):
                found.setdefault(path[0], value)
    return found
