"""The registries that publications and logging in are passed on to, over the one HTTP client.

A name belongs to the registries whose scopes cover it, or to those without scopes if none does: as in ``upstreams``,
where it is looked up. If that is not exactly one, it is nobody's.
"""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from lazaretto.app.passing import Credential, Reply
from lazaretto.app.ports import Unavailable
from lazaretto.core.access import Passing
from lazaretto.core.names import ProjectName
from lazaretto.infra.http import HttpClient
from lazaretto.infra.redact import Secret, shown
from lazaretto.infra.transport import Credentials, Limits

MAX_REPLY = 1 << 20
"""Largest answer of a registry to a publication or a log-in, in bytes."""

_LIMITS = Limits(max_bytes=MAX_REPLY, read=60.0, total=120.0)


class Registry:
    """One registry that may be written to (``app.passing.Receiver``)."""

    def __init__(
        self,
        http: HttpClient,
        url: str,
        scopes: tuple[str, ...] = (),
        token: Secret | None = None,
        publish: Passing = Passing.REFUSE,
        login: Passing = Passing.REFUSE,
    ) -> None:
        """``token`` is sent where the client's own credentials are replaced."""
        self._http = http
        self._token = token
        self.scopes = scopes
        self.url = url if url.endswith("/") else f"{url}/"
        self.publish = publish
        self.login = login

    def covers(self, name: ProjectName) -> bool:
        """Whether a name is this registry's alone."""
        return any(fnmatchcase(name, pattern) for pattern in self.scopes)

    def send(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], shown: Credential | None
    ) -> Reply:
        """Send a request once, with what the client shows. Raises RegistryError."""
        theirs = Secret(shown.reveal()) if shown is not None else None
        return self._send(method, path, body, headers, theirs)

    def send_ours(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        """Send a request once, with our own token. Raises RegistryError, also if there is none."""
        if self._token is None:
            raise Unavailable(f"the firewall has no token for {shown(self.url)}: set the variable that token_env names")
        return self._send(method, path, body, headers, Secret(f"Bearer {self._token.reveal()}"))

    def _send(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], authorization: Secret | None
    ) -> Reply:
        sent = {"accept": "application/json", **({"content-type": "application/json"} if body else {}), **headers}
        credentials = Credentials(authorization) if authorization is not None else None
        answer = self._http.send(method, self.url + path, body, headers=sent, credentials=credentials, limits=_LIMITS)
        media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        one_time = answer.status == 401 and "otp" in answer.headers.get("www-authenticate", "").lower()
        return Reply(answer.status, media_type, answer.body, one_time)


class Registries:
    """All registries of npm packages, also those to which nothing is passed on: they have names of their own."""

    def __init__(self, registries: Iterable[Registry]) -> None:
        self._registries = tuple(registries)

    def of(self, name: ProjectName) -> Registry | None:
        """Return the one registry that a name belongs to."""
        covering = [one for one in self._registries if one.covers(name)]
        return _sole(covering or [one for one in self._registries if not one.scopes])

    @property
    def own(self) -> Registry | None:
        """The one registry that clients show credentials of their own for."""
        return _sole([one for one in self._registries if Passing.THROUGH in (one.publish, one.login)])


def _sole(registries: Sequence[Registry]) -> Registry | None:
    return registries[0] if len(registries) == 1 else None
