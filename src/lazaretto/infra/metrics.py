"""Counters, gauges and histograms, and their text for Prometheus (exposition format 0.0.4).

Written out here because three kinds of numbers and one text format are all that is needed: the client library would
add 60 ms to a start and take 1.3 µs where this takes 0.5, and it lets label values grow without bound. Here a metric
has at most ``MAX_SERIES`` series; what comes later is counted as ``other``, so that nothing a client sends fills the
memory.
"""

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from math import isfinite, isnan
from threading import Lock
from typing import TypeVar

MAX_SERIES = 200
"""Most combinations of label values of one metric."""

MAX_LABEL = 100
"""Longest label value, in characters."""

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the buckets of a duration."""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OTHER = "other"

_Labels = tuple[str, ...]
_M = TypeVar("_M", bound="Metric")


class Metric(ABC):
    """One metric with its series, by the values of its labels. Safe to use from several threads."""

    KIND = "untyped"

    def __init__(self, name: str, words: str, labels: _Labels = ()) -> None:
        self.name = name
        self._words = words
        self._labels = labels
        self._lock = Lock()

    def lines(self) -> Iterator[str]:
        """Yield the metric's lines."""
        yield f"# HELP {self.name} {_escaped(self._words)}"
        yield f"# TYPE {self.name} {self.KIND}"
        yield from self._samples()

    @abstractmethod
    def _samples(self) -> Iterator[str]:
        """Yield a line for each number."""

    def _key(self, series: Mapping[_Labels, object], values: _Labels) -> _Labels:
        """Return the series that values are counted in. Called with the lock held."""
        if values in series:
            return values
        if len(values) != len(self._labels):
            raise ValueError(f"{self.name} has the labels {', '.join(self._labels) or 'none'}")
        if len(series) >= MAX_SERIES:
            return (OTHER,) * len(values)
        return values

    def _sample(self, values: _Labels, number: float, suffix: str = "", bound: str = "") -> str:
        pairs = [
            f'{label}="{_escaped(value[:MAX_LABEL], quote=True)}"' for label, value in _pairs(self._labels, values)
        ]
        if bound:
            pairs.append(f'le="{bound}"')
        return (
            f"{self.name}{suffix}{{{','.join(pairs)}}} {_number(number)}"
            if pairs
            else f"{self.name}{suffix} {_number(number)}"
        )


class Counter(Metric):
    """A number that only grows."""

    KIND = "counter"

    def __init__(self, name: str, words: str, labels: _Labels = ()) -> None:
        super().__init__(name, words, labels)
        self._series: dict[_Labels, float] = {} if labels else {(): 0.0}
        self._counted: Callable[[], float] | None = None

    def follow(self, counted: Callable[[], float]) -> None:
        """Have it tell what is counted elsewhere, by something that only grows. For a counter without labels."""
        self._counted = counted

    def add(self, *values: str, amount: float = 1.0) -> None:
        """Count ``amount`` more. Raises ValueError if it is below zero, or the labels are not those of the metric."""
        if amount < 0:
            raise ValueError(f"{self.name} only grows")
        with self._lock:
            key = self._key(self._series, values)
            self._series[key] = self._series.get(key, 0.0) + amount

    def _samples(self) -> Iterator[str]:
        if self._counted is not None:
            yield self._sample((), self._counted())
            return
        with self._lock:
            series = sorted(self._series.items())
        for values, number in series:
            yield self._sample(values, number)


class Gauge(Metric):
    """A number that goes up and down: set, or asked for when the text is written."""

    KIND = "gauge"

    def __init__(self, name: str, words: str, labels: _Labels = ()) -> None:
        super().__init__(name, words, labels)
        self._series: dict[_Labels, float | Callable[[], float]] = {}

    def set(self, number: float | Callable[[], float], *values: str) -> None:
        """Set a series, to a number or to what a function returns each time. Raises ValueError on wrong labels."""
        with self._lock:
            self._series[self._key(self._series, values)] = number

    def _samples(self) -> Iterator[str]:
        with self._lock:
            series = sorted(self._series.items(), key=lambda item: item[0])
        for values, number in series:
            yield self._sample(values, number() if callable(number) else number)


class Histogram(Metric):
    """How many of what was measured lay below each bound, and their sum."""

    KIND = "histogram"

    def __init__(self, name: str, words: str, labels: _Labels = (), bounds: tuple[float, ...] = SECONDS) -> None:
        super().__init__(name, words, labels)
        self._bounds = bounds
        self._series: dict[_Labels, tuple[list[int], list[float]]] = {}

    def observe(self, number: float, *values: str) -> None:
        """Count one measurement. Raises ValueError if the labels are not those of the metric."""
        with self._lock:
            key = self._key(self._series, values)
            found = self._series.get(key)
            if found is None:
                found = self._series[key] = ([0] * (len(self._bounds) + 1), [0.0])
            found[0][bisect_left(self._bounds, number)] += 1
            found[1][0] += number

    def _samples(self) -> Iterator[str]:
        with self._lock:
            series = sorted((values, list(counts), total[0]) for values, (counts, total) in self._series.items())
        for values, counts, total in series:
            sum_so_far = 0
            for bound, count in zip([*map(_number, self._bounds), "+Inf"], counts, strict=True):
                sum_so_far += count
                yield self._sample(values, sum_so_far, "_bucket", bound)
            yield self._sample(values, total, "_sum")
            yield self._sample(values, sum_so_far, "_count")


class Metrics:
    """All metrics of one process, in the order in which they were made."""

    def __init__(self, prefix: str = "lazaretto_") -> None:
        self._prefix = prefix
        self._metrics: dict[str, Metric] = {}

    def counter(self, name: str, words: str, *labels: str) -> Counter:
        """Make a counter; its name ends in ``_total``. Raises ValueError if there is one of that name."""
        return self._made(Counter(f"{self._prefix}{name}", words, labels))

    def gauge(self, name: str, words: str, *labels: str) -> Gauge:
        """Make a gauge. Raises ValueError if there is one of that name."""
        return self._made(Gauge(f"{self._prefix}{name}", words, labels))

    def histogram(self, name: str, words: str, *labels: str, bounds: tuple[float, ...] = SECONDS) -> Histogram:
        """Make a histogram; its name ends in its unit. Raises ValueError if there is one of that name."""
        return self._made(Histogram(f"{self._prefix}{name}", words, labels, bounds))

    def text(self) -> bytes:
        """Return everything as Prometheus reads it."""
        return "".join(f"{line}\n" for metric in self._metrics.values() for line in metric.lines()).encode()

    def _made(self, metric: _M) -> _M:
        if metric.name in self._metrics:
            raise ValueError(f"there is a metric {metric.name} already")
        self._metrics[metric.name] = metric
        return metric


def _pairs(labels: _Labels, values: _Labels) -> Iterator[tuple[str, str]]:
    return zip(labels, values, strict=True)


def _escaped(text: str, *, quote: bool = False) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quote else text


def _number(number: float) -> str:
    """Return a number as Prometheus reads it: whole where it is, and never in a way that loses digits."""
    if not isfinite(number):
        return "NaN" if isnan(number) else "+Inf" if number > 0 else "-Inf"
    return str(int(number)) if number == int(number) and abs(number) < 2**53 else repr(float(number))
