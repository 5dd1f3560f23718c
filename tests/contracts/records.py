"""What the tests of ledgers write down."""

from datetime import UTC, datetime, timedelta

from lazaretto.app.ports import Served
from lazaretto.core.act import Act
from lazaretto.core.names import Digest, ProjectName, Purl, Version
from lazaretto.core.policy import Outcome
from lazaretto.core.standing import Basis, Decision

NOW = datetime(2026, 3, 31, 0, 22, 0, 1, tzinfo=UTC)
NAME = ProjectName("thing")
DECISION = Decision(
    ecosystem="npm",
    project=NAME,
    version=Version("1.0.0"),
    filename="thing-1.0.0.tgz",
    told="sha512:aa",
    sha256=Digest("sha256:bb"),
    outcome=Outcome.HOLD,
    complete=True,
    basis=Basis.READ,
    verdict="V3RD1CT0",
    reason="as read",
    decided_at=NOW,
    expires=NOW + timedelta(days=1),
    for_cause=True,
)
ACT = Act(NOW, "ada", "allow", "V3RD1CT0", "read by hand", NOW + timedelta(days=3))


def served(sha256: str = "sha256:bb") -> Served:
    """Return that an artifact was handed out."""
    return Served(NOW, "127.0.0.1", "", Purl("pkg:npm/thing@1.0.0"), "thing-1.0.0.tgz", Digest(sha256), "allow")
