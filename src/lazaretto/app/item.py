"""An artifact that somebody asks the firewall for: where it stands for them, and why it is refused if it is."""

from datetime import datetime

from msgspec import Struct

from lazaretto.app.ports import PortError, Served
from lazaretto.core.access import Viewer
from lazaretto.core.firewall_policy import FirewallPolicy, Mode
from lazaretto.core.names import Digest, ProjectName, Purl
from lazaretto.core.standing import Place, Standing


class Refused(PortError):
    """An artifact that is not handed out. ``standing`` says why, and under which verdict id a person may change it."""

    def __init__(self, standing: Standing, purl: Purl) -> None:
        self.standing = standing
        self.purl = purl
        super().__init__(f"{purl} ({standing.filename}) is withheld: {standing.reason}")


class Item(Struct, frozen=True):
    """An artifact that was asked for, and where it stands under the policy of who asked."""

    ecosystem: str
    project: ProjectName
    standing: Standing
    policy: FirewallPolicy
    purl: Purl
    was_read: bool = False

    @property
    def open(self) -> bool:
        """Whether its bytes may go out now."""
        return self.standing.open or self.policy.mode is Mode.OBSERVE

    @property
    def unsettled(self) -> bool:
        """Whether it goes out, or would, although nobody has read it."""
        return self.standing.place is Place.UNREAD or not self.was_read

    @property
    def waits(self) -> bool:
        """Whether a reading would decide it."""
        return self.standing.place is Place.UNREAD and not self.open


def served(item: Item, digest: Digest, viewer: Viewer, now: datetime) -> Served:
    """Return the record that an artifact is handed out."""
    outcome = "allow" if item.standing.open else item.standing.outcome.word
    return Served(now, viewer.client, viewer.group or "", item.purl, item.standing.filename, digest, outcome)
