"""What is passed on to a registry: publications, logging in and out, and the question who one is.

Each goes to exactly one registry, or to none: a publication to the one that its name belongs to, and what a client
shows as its own only to the one registry whose credentials it is said to hold. What goes out is in the chain of acts
before it goes out.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from lazaretto.app.ports import PortError
from lazaretto.core.access import Passing, Scope, Viewer
from lazaretto.core.act import Act
from lazaretto.core.chain import Entry
from lazaretto.core.names import Digest, ProjectName, Purl, Version


class NotPassed(PortError):
    """The firewall passes this on to nobody. The message says why, and what to do instead."""


class NeedsCredentials(PortError):
    """Whoever asks shows nothing that could be passed on, or nothing that may have ours take its place."""


class Credential(Protocol):
    """A client's own credentials, which nothing but ``reveal`` shows (``infra.redact.Secret``)."""

    def reveal(self) -> str:
        """Return the value of the header ``Authorization``."""
        ...


class Reply(Struct, frozen=True):
    """What a registry answered: bounded, and whether it asks for a one-time password."""

    status: int
    media_type: str
    body: bytes
    one_time: bool = False


class Receiver(Protocol):
    """A registry that may be written to, as the settings have it. ``url`` ends with a slash."""

    @property
    def url(self) -> str:
        """The address."""
        ...

    @property
    def publish(self) -> Passing:
        """What becomes of publications."""
        ...

    @property
    def login(self) -> Passing:
        """What becomes of logging in."""
        ...

    def send(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], shown: Credential | None
    ) -> Reply:
        """Send a request once, with what the client shows, or without any credentials. Raises RegistryError."""
        ...

    def send_ours(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        """Send a request once, with the firewall's own credentials. Raises RegistryError."""
        ...


class Receivers(Protocol):
    """The registries of npm packages."""

    def of(self, name: ProjectName) -> Receiver | None:
        """Return the one registry that a name belongs to; None if there is none, or more than one."""
        ...

    @property
    def own(self) -> Receiver | None:
        """The one registry that clients show credentials of their own for; None if there is none."""
        ...


class Published(Protocol):
    """A publication that was read (``ecosystems.npm.publication``)."""

    @property
    def version(self) -> Version:
        """The version."""
        ...

    @property
    def digest(self) -> Digest:
        """That of the artifact's bytes."""
        ...

    @property
    def path(self) -> str:
        """Where it is sent, below the registry."""
        ...

    @property
    def body(self) -> bytes:
        """What is sent."""
        ...


class Acts(Protocol):
    """The chain of acts."""

    def act(self, act: Act) -> Entry:
        """Write an act at its end. Raises LedgerError."""
        ...


ReadPublication = Callable[[ProjectName, bytes, str], Published]
"""Name, body, the registry's address -> what is published; raises ValueError with the reason."""


class Passage:
    """Passes on what the settings say, and nothing else. Several threads may use it; every method may wait."""

    def __init__(
        self,
        receivers: Receivers,
        read: ReadPublication,
        purl: Callable[[ProjectName, Version], Purl],
        acts: Acts,
        forget: Callable[[ProjectName], None],
    ) -> None:
        """``forget`` has a project's page asked for anew."""
        self._receivers = receivers
        self._read = read
        self._purl = purl
        self._acts = acts
        self._forget = forget

    @property
    def logs_in(self) -> bool:
        """Whether clients may log in to a registry."""
        receiver = self._receivers.own
        return receiver is not None and receiver.login is Passing.THROUGH

    def may_publish(self, name: ProjectName, viewer: Viewer, shown: Credential | None) -> Receiver:
        """Return where a publication goes; to be asked before its body is read.

        Raises:
            NotPassed: nowhere.
            NeedsCredentials: it would, with other credentials.
        """
        receiver = self._receivers.of(name)
        if receiver is None or receiver.publish is Passing.REFUSE:
            raise NotPassed(f"this firewall does not publish {name}: publish at the registry itself")
        if receiver.publish is Passing.REPLACE and not viewer.may(Scope.PUBLISH):
            raise NeedsCredentials(
                f"to publish {name} through this firewall needs a token of it with the scope publish"
            )
        if receiver.publish is Passing.THROUGH and shown is None:
            raise NeedsCredentials(f"to publish {name} needs your credentials for the registry: run npm login")
        return receiver

    def publish(
        self, name: ProjectName, body: bytes, otp: str, viewer: Viewer, shown: Credential | None, now: datetime
    ) -> Reply:
        """Pass a publication on, and return the registry's answer.

        Raises:
            NotPassed, NeedsCredentials: see ``may_publish``.
            ValueError: it is no publication of one version of this package.
            LedgerError: it cannot be written down, so it is not passed on.
            RegistryError: the registry cannot be asked.
        """
        receiver = self.may_publish(name, viewer, shown)
        theirs = receiver.publish is Passing.THROUGH
        found = self._read(name, body, receiver.url)
        subject = f"{self._purl(name, found.version)} {found.digest}"
        credentials = "the client's own credentials" if theirs else "the firewall's credentials"
        self._acts.act(Act(now, viewer.client, "publish", subject, f"to {receiver.url} with {credentials}"))
        headers = {"npm-otp": otp} if otp else {}
        try:
            if theirs:
                reply = receiver.send("PUT", found.path, found.body, headers, shown)
            else:
                reply = receiver.send_ours("PUT", found.path, found.body, headers)
        except PortError as error:
            self._forget(name)  # nobody knows what it has done
            self._acts.act(Act(now, viewer.client, "publish-failed", subject, str(error)))
            raise
        if not 400 <= reply.status < 500:
            self._forget(name)
        if reply.status >= 300:
            why = f"{receiver.url} answered {reply.status}"
            self._acts.act(Act(now, viewer.client, "publish-failed", subject, why))
        return reply

    def account(
        self, method: str, path: str, body: bytes | None, otp: str, shown: Credential | None, *, needed: bool
    ) -> Reply:
        """Pass on what is about a client's own account: logging in and out, and who one is.

        Raises:
            NotPassed: no registry is logged in to through this firewall.
            NeedsCredentials: they are needed for this.
            RegistryError: the registry cannot be asked.
        """
        receiver = self._receivers.own
        if receiver is None or (not needed and not self.logs_in):
            raise NotPassed("this firewall logs nobody in: log in at the registry itself")
        if needed and shown is None:
            raise NeedsCredentials("no credentials for the registry were sent: run npm login")
        return receiver.send(method, path, body, {"npm-otp": otp} if otp else {}, shown)
