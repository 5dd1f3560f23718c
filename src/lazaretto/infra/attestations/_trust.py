"""Sigstore's trust root: updated by TUF with Sigstore's own library, or as old as it is if that is not to be had.

The library keeps the root where it looks for it (and so do PyPI's libraries), and ships one to begin with. What is
asked here is only whether there is a newer one: once a day, and not again for a while if nobody answered.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread

import msgspec

from lazaretto.app.attested import AttestationVerifier, Checked, Keys
from lazaretto.core.model import Artifact, Disproof, Release
from lazaretto.infra.clock import SystemClock

FRESH = timedelta(days=1)
"""How long an update counts."""

AGAIN = timedelta(hours=1)
"""How long nobody is asked after an update failed."""

MAX_SECONDS = 30.0
"""How long an update may take; one that is late goes on for itself and counts the next time."""


class _Asked(msgspec.Struct, frozen=True):
    """What is remembered of updates: when one last came to its end, and when one was last tried."""

    updated: datetime | None = None
    tried: datetime | None = None


def update_production() -> None:
    """Update the trust root of the public instance, as Sigstore's own client does. Raises sigstore's Error."""
    from sigstore.models import ClientTrustConfig

    ClientTrustConfig.production()


class TrustRoot:
    """Keeps the trust root fresh.

    Args:
        folder: where it is remembered when it was updated.
        update: updates it; raises if it cannot.
    """

    def __init__(
        self,
        folder: Path,
        update: Callable[[], None] = update_production,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._path = folder / "trust-root.json"
        self._update = update
        self._now = now or SystemClock().now
        self._notes: tuple[str, ...] = ()
        self._next: datetime | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know: how old the trust root is, if it was needed and could not be updated."""
        return self._notes

    def refresh(self) -> None:
        """Update the trust root, if that was not done lately; never raises: an older one is used, and told."""
        now = self._now()
        if self._next is not None and self._next - AGAIN <= now < self._next:
            return
        self._next = now + AGAIN
        self._notes = ()
        asked = self._asked()
        if asked.updated is not None and now - FRESH < asked.updated <= now:
            return
        why = "nobody answered a while ago"
        if asked.tried is None or not now - AGAIN < asked.tried <= now:
            why = self._tried()
            asked = _Asked(asked.updated if why else now, now)
            self._remember(asked)
        if why:
            age = f"the one of {asked.updated:%Y-%m-%d}" if asked.updated else "the one that Sigstore's library ships"
            self._notes = (f"whether Sigstore's trust root has changed: {age} is used, an update failed ({why})",)

    def _tried(self) -> str:
        """Return why the update failed, or nothing."""
        failed: list[str] = ["it took too long"]

        def update() -> None:
            try:
                self._update()
            except Exception as error:  # noqa: BLE001 - whatever keeps it from being updated, an older one is used
                cause = error.__cause__ or error
                failed[0] = " ".join(str(cause).split())[:200] or type(cause).__name__
            else:
                failed[0] = ""

        thread = Thread(target=update, name="trust-root", daemon=True)
        thread.start()
        thread.join(MAX_SECONDS)
        return failed[0]

    def _asked(self) -> _Asked:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Asked)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return _Asked()

    def _remember(self, asked: _Asked) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_bytes(msgspec.json.encode(asked))
        except OSError:
            return  # it is asked again the next time


class Fresh:
    """A verifier that looks for a newer trust root before it verifies the first thing that needs one."""

    def __init__(self, verifier: AttestationVerifier, trust: TrustRoot) -> None:
        self._verifier = verifier
        self._trust = trust

    def attestations(self, release: Release, artifact: Artifact, document: bytes, keys: Keys) -> Checked:
        """Verify a document of attestations. Raises what the verifier raises."""
        self._trust.refresh()
        return self._verifier.attestations(release, artifact, document, keys)

    def signatures(self, release: Release, artifact: Artifact, keys: Keys) -> tuple[Disproof, ...]:
        """Verify the registry's own signatures: no trust root is needed. Raises what the verifier raises."""
        return self._verifier.signatures(release, artifact, keys)
