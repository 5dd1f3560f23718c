"""The OSV feed: its four forms, what of a record is kept, and where an error is found."""

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.advisory import AdvisoryKind, Affected, Event, EventKind, FeedError, Origin, Range, RangeKind
from lazaretto.feeds import osv

SEEDS = Path(__file__).parents[1] / "contracts" / "feeds"
SMALL = b'{"id": "%s", "modified": "2030-01-01T00:00:00Z"}'


def archive(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return out.getvalue()


def test_a_record_is_kept() -> None:
    """What decides, and who said it, is kept; what is for reading elsewhere is not."""
    (found,) = osv.parse((SEEDS / "osv-record.json").read_bytes())

    assert (found.id, found.aliases, found.kind) == ("MAL-2030-1", ("GHSA-aaaa-bbbb-cccc",), AdvisoryKind.MALWARE)
    assert found.affected == (Affected("npm", "plain-example", ("0.30.4", "1.14.1")),)
    assert found.published == datetime(2030, 3, 31, 3, 15, 49, tzinfo=UTC)
    assert found.cwes == ("CWE-506",)
    assert found.origins == (
        Origin("a-source", "0123456789abcdef" * 4, datetime(2030, 3, 31, 3, 22, 12, 627228, tzinfo=UTC)),
    )


def test_a_list_is_read() -> None:
    """Names of ecosystems become ours; ``null`` is an empty list; a withdrawn record says so."""
    first, second = osv.parse((SEEDS / "osv-list.json").read_bytes())

    assert first.kind is AdvisoryKind.VULNERABILITY
    assert first.affected[0].ecosystem == "pypi"
    assert first.affected[0].ranges[0] == Range(
        RangeKind.ECOSYSTEM,
        (
            Event(EventKind.INTRODUCED, "0"),
            Event(EventKind.FIXED, "1.2.4"),
            Event(EventKind.INTRODUCED, "2.0"),
            Event(EventKind.LAST_AFFECTED, "2.1"),
        ),
    )
    assert second.withdrawn is not None


def test_lines_and_older_events_are_read() -> None:
    """One record on each line; an event with two keys, as older records have it, is two events."""
    _, second = osv.parse((SEEDS / "osv-lines.jsonl").read_bytes())

    assert [event.kind for event in second.affected[0].ranges[0].events] == ["introduced", "fixed", "limit"]
    assert second.affected[0].ranges[1].kind is RangeKind.OTHER


def test_an_archive_is_read() -> None:
    """The dump of a database is an archive of records; what is no record is left alone."""
    data = archive({"MAL-1.json": SMALL % b"MAL-1", "README.md": b"hello", "MAL-2.json": SMALL % b"MAL-2"})

    assert [one.id for one in osv.parse(data)] == ["MAL-1", "MAL-2"]


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"", "feed"),
        (b"[]", "feed"),
        (b"[1]", "record 1"),
        (b"{", "line 1"),
        (SMALL % b"A" + b"\n" + b"{}\n", "line 2"),
        (SMALL % b"<script>", "record 1"),
        (b'[%s, {"id": "A"}]' % (SMALL % b"A"), "record 2"),
        (b'{"id": "A", "modified": "2030-01-01T00:00:00"}', "record 1"),
        (b'{"id": "A", "modified": "0001-01-01T00:00:00+23:00"}', "record 1"),
        (b'{"id": "A", "modified": "2030-01-01T00:00:00Z", "affected": 1}', "record 1"),
        (b'{"id": "A", "modified": "2030-01-01T00:00:00Z", "x": ' + b"[" * 100_000, "line 1"),
        (archive({}), "feed"),
        (archive({"a.json": b"{}"}), "a.json"),
        (archive({"a.json": SMALL % b"A"})[:-30], "archive"),
        (archive({"a\x1b[31m.json": b"{}"}), "a\\x1b[31m.json"),
    ],
)
def test_errors_have_a_place(data: bytes, place: str) -> None:
    """An error says which record it is in, printably."""
    with pytest.raises(FeedError) as caught:
        list(osv.parse(data))

    assert caught.value.place == place


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A feed, a record, an archive and their number are bounded."""
    data = SMALL % b"A"
    twice = archive({"a.json": data, "b.json": data})
    for name, value, feed in (
        ("MAX_FEED", 10, data),
        ("MAX_RECORD", 10, data),
        ("MAX_UNPACKED", 60, twice),
        ("MAX_RECORDS", 1, twice),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(osv, name, value)
            with pytest.raises(FeedError, match=r"larger than|more than"):
                list(osv.parse(feed))


@given(start=st.integers(0, 400), length=st.integers(0, 60), token=st.binary(max_size=8))
def test_a_damaged_archive_gives_records_or_an_error(start: int, length: int, token: bytes) -> None:
    """Whatever is damaged in an archive, there are records, or one error."""
    whole = archive({"a.json": SMALL % b"A", "b.json": SMALL % b"B"})
    try:
        assert all(one.id for one in osv.parse(whole[:start] + token + whole[start + length :]))
    except FeedError as error:
        assert error.place


@pytest.mark.parametrize(
    "specific",
    [
        b'"text"',
        b"[1]",
        b'{"cwe_ids": "CWE-506"}',
        b'{"cwe_ids": [1, null], "malicious-packages-origins": [1, {"source": 1}]}',
        b'{"malicious-packages-origins": {"source": "x"}}',
        b'{"cwes": [{"cweId": 506}]}',
    ],
)
def test_what_a_database_adds_is_no_error(specific: bytes) -> None:
    """What a database adds of its own has no schema: what is not as we know it is left alone."""
    record = b'{"id": "A-1", "modified": "2030-01-01T00:00:00Z", "database_specific": %s}' % specific
    (found,) = osv.parse(record)

    assert (found.cwes, found.origins, found.kind) == ((), (), AdvisoryKind.VULNERABILITY)


def test_an_unknown_digest_or_time_of_an_origin_is_left_out() -> None:
    """An origin without a proper digest or time is still an origin."""
    record = (
        b'{"id": "A-1", "modified": "2030-01-01T00:00:00Z", "database_specific":'
        b' {"malicious-packages-origins": [{"source": "s", "sha256": "no", "import_time": "yesterday"}]}}'
    )
    (found,) = osv.parse(record)

    assert found.origins == (Origin("s"),)
