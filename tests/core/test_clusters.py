"""Detections hang together by what few others have; what is common, and ways of working alone, link nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from lazaretto.core.attribution import Attributor
from lazaretto.core.clusters import Detection, clusters
from lazaretto.core.intel import Sighting, SightingKind
from lazaretto.infra.knowledge import scale, shipped

K = SightingKind
ASKED = Attributor(shipped(), scale())


def detection(name: str, *seen: tuple[SightingKind, str]) -> Detection:
    """Return a detection of a release."""
    return Detection(f"pkg:npm/{name}@1.0.0", tuple(Sighting(kind, value) for kind, value in seen))


HOST, MAIL = (K.HOST, "c2.invalid"), (K.EMAIL, "hand@mail.invalid")
PLACES = tuple((K.HOST, f"h{number}.invalid") for number in range(9))


def test_a_host_and_a_mail_link_two_releases() -> None:
    """Their group says what they share, and that nobody is named for it."""
    (found,) = clusters([detection("a", HOST, MAIL), detection("b", HOST, MAIL), detection("c")], ASKED)

    assert found.subjects == ("pkg:npm/a@1.0.0", "pkg:npm/b@1.0.0")
    assert {(one.kind, one.value) for one in found.shared} == {HOST, MAIL}
    assert found.attribution.named == ()
    assert found.id.startswith("cluster-")


def test_hosts_alone_link_nothing() -> None:
    """Programs name hosts that are everybody's; however many two of them share, something else must be shared too."""
    assert clusters([detection("a", *PLACES), detection("b", *PLACES)], ASKED) == ()


def test_ways_of_working_alone_link_nothing() -> None:
    """Two releases that do the same in the same way are not yet one hand's."""
    ways = tuple((K.TECHNIQUE, f"T{n}") for n in range(99)) + tuple((K.HABIT, f"h{n}=1") for n in range(99))
    files = tuple((K.FILE_PATH, f"{n}.js") for n in range(99))

    assert clusters([detection("a", *ways, *files), detection("b", *ways, *files)], ASKED) == ()


def test_words_that_stand_open_link_nothing() -> None:
    """Names of modules and styles are everybody's; the same words recovered from hiding are not."""

    def having(via: str, text: str = "word number {}") -> list[Detection]:
        words = tuple(Sighting(K.STRING, text.format(number), via=via) for number in "abcdefghi")
        return [Detection(f"pkg:npm/{name}@1.0.0", (*words, Sighting(*MAIL))) for name in "ab"]

    assert clusters(having("plain"), ASKED) == ()
    assert clusters(having("base64>xor", "child_process{}"), ASKED) == ()
    assert len(clusters(having("base64>xor"), ASKED)) == 1


def test_what_most_detections_share_weighs_little() -> None:
    """A thing that is in all of many detections is a mark of the times, not of a hand."""
    many = [detection(f"p{number}", HOST, (K.STRING, f"own {number}")) for number in range(150)]

    assert clusters(many, ASKED) == ()


def test_links_join() -> None:
    """A with B by one thing, and B with C by another, are one group; a fourth stands apart."""
    package, digest = (K.PACKAGE, "pkg:npm/planted@1.0.1"), (K.DIGEST, "sha256:" + "1" * 64)
    group = [detection("a", MAIL, package), detection("b", MAIL, package, digest), detection("c", digest)]
    (found,) = clusters([*group, detection("d", package)], ASKED)

    assert len(found.subjects) == 3


@settings(max_examples=30)
@given(
    st.lists(
        st.builds(
            Detection,
            st.sampled_from([f"pkg:npm/{name}@1.0.0" for name in "abcdef"]),
            st.lists(
                st.builds(
                    Sighting, st.sampled_from([K.HOST, K.EMAIL, K.DIGEST, K.HABIT]), st.sampled_from(["x=1", "y=2"])
                )
            ).map(tuple),
        ),
        unique_by=lambda one: one.subject,
        max_size=6,
    )
)
def test_the_order_does_not_matter(detections: list[Detection]) -> None:
    """The same detections in another order are the same groups, and nobody is in two."""
    found = clusters(detections, ASKED)
    members = [subject for one in found for subject in one.subjects]

    assert found == clusters(detections[::-1], ASKED)
    assert len(members) == len(set(members))
