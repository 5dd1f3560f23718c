"""The numbers and their text, as Prometheus reads it."""

import re
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.infra.metrics import MAX_SERIES, Metrics

SAMPLE = re.compile(
    r"[a-z_]+(\{[a-z_]+=\"(?:[^\"\\\n]|\\[\\\"n])*\"(,[a-z_]+=\"(?:[^\"\\\n]|\\[\\\"n])*\")*\})? "
    r"(-?[0-9.]+(e[+-]?[0-9]+)?|\+Inf|NaN)"
)


def test_the_text_is_as_prometheus_reads_it() -> None:
    """Each kind, with and without labels, in the exposition format 0.0.4."""
    metrics = Metrics()
    requests = metrics.counter("requests_total", "Requests\nof all", "route", "status")
    metrics.counter("starts_total", "Starts").add()
    metrics.counter("errors_total", "Errors")
    age = metrics.gauge("feed_age_seconds", "Age", "source")
    seconds = metrics.histogram("seconds", "Time", "route", bounds=(0.5, 1.0))
    requests.add("page", "200")
    requests.add("page", "200", amount=2)
    requests.add('a"b\\c\nd', "404")
    age.set(1.5, "osv")
    age.set(lambda: 7, "other")
    age.set(float("inf"), "never")
    age.set(float("-inf"), "odd")
    age.set(float("nan"), "what")
    for number in (0.5, 0.75, 3):
        seconds.observe(number, "page")

    assert metrics.text().decode().splitlines() == [
        "# HELP lazaretto_requests_total Requests\\nof all",
        "# TYPE lazaretto_requests_total counter",
        'lazaretto_requests_total{route="a\\"b\\\\c\\nd",status="404"} 1',
        'lazaretto_requests_total{route="page",status="200"} 3',
        "# HELP lazaretto_starts_total Starts",
        "# TYPE lazaretto_starts_total counter",
        "lazaretto_starts_total 1",
        "# HELP lazaretto_errors_total Errors",
        "# TYPE lazaretto_errors_total counter",
        "lazaretto_errors_total 0",
        "# HELP lazaretto_feed_age_seconds Age",
        "# TYPE lazaretto_feed_age_seconds gauge",
        'lazaretto_feed_age_seconds{source="never"} +Inf',
        'lazaretto_feed_age_seconds{source="odd"} -Inf',
        'lazaretto_feed_age_seconds{source="osv"} 1.5',
        'lazaretto_feed_age_seconds{source="other"} 7',
        'lazaretto_feed_age_seconds{source="what"} NaN',
        "# HELP lazaretto_seconds Time",
        "# TYPE lazaretto_seconds histogram",
        'lazaretto_seconds_bucket{route="page",le="0.5"} 1',
        'lazaretto_seconds_bucket{route="page",le="1"} 2',
        'lazaretto_seconds_bucket{route="page",le="+Inf"} 3',
        'lazaretto_seconds_sum{route="page"} 4.25',
        'lazaretto_seconds_count{route="page"} 3',
    ]


@given(value=st.text(), number=st.floats(0))
def test_any_value_stays_in_its_line(value: str, number: float) -> None:
    """Whatever a label holds and whatever is counted, each sample is one line of the format."""
    metrics = Metrics("")
    metrics.counter("a_total", "A", "x").add(value, amount=number)
    metrics.histogram("b", "B", "x").observe(number, value)

    text = metrics.text().decode(errors="surrogateescape")
    assert all(SAMPLE.fullmatch(line) for line in text.split("\n")[:-1] if not line.startswith("#"))


def test_series_are_bounded() -> None:
    """What a client sends cannot fill the memory: beyond the bound it is counted together."""
    metrics = Metrics()
    counter, gauge = metrics.counter("a_total", "A", "x"), metrics.gauge("b", "B", "x")
    histogram = metrics.histogram("c", "C", "x", bounds=(1.0,))
    for number in range(3 * MAX_SERIES):
        counter.add(str(number))
        gauge.set(1, str(number))
        histogram.observe(1, str(number))

    text = metrics.text().decode()
    assert text.count("lazaretto_a_total{") == MAX_SERIES + 1
    assert f'lazaretto_a_total{{x="other"}} {2 * MAX_SERIES}' in text
    assert f'lazaretto_c_count{{x="other"}} {2 * MAX_SERIES}' in text


def test_misuse_is_told() -> None:
    """Wrong labels, a counter that shrinks, two metrics of one name."""
    metrics = Metrics()
    counter = metrics.counter("a_total", "A", "x")

    with pytest.raises(ValueError, match="labels x"):
        counter.add()
    with pytest.raises(ValueError, match="labels none"):
        metrics.counter("b_total", "B").add("x")
    with pytest.raises(ValueError, match="only grows"):
        counter.add("x", amount=-1)
    with pytest.raises(ValueError, match="already"):
        metrics.gauge("a_total", "A")


def test_threads_lose_no_count() -> None:
    """Several threads count at once, and nothing is lost."""
    metrics = Metrics()
    counter, histogram = metrics.counter("a_total", "A", "x"), metrics.histogram("b", "B")

    def count() -> None:
        for _ in range(5000):
            counter.add("x")
            histogram.observe(1)

    threads = [Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert b'lazaretto_a_total{x="x"} 20000\n' in metrics.text()
    assert b"lazaretto_b_count 20000\n" in metrics.text()
