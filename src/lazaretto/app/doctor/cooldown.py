"""What is said of every client's cooldown in the same way."""

from collections.abc import Callable, Iterator
from datetime import timedelta

from lazaretto.app.doctor.settings import Value
from lazaretto.core.posture import GOOD_COOLDOWN, Advice, Severity, Standing, spoken, unit_mistake

Said = Advice | Standing
Read = Callable[[str], timedelta | None]


def judge(
    client: str, key: str, value: Value | None, read: Read, unit: str, remedy: str, *, missing: str
) -> Iterator[Said]:
    """Yield what is to be said of a cooldown.

    ``read`` gives the duration of a text, ``unit`` is told if it was surely meant in another, ``remedy`` is the one
    line that sets seven days, and ``missing`` says what happens without a setting (empty: nothing is said of that).
    A text that is no duration is not repeated: who knows what was pasted there.
    """
    if value is None:
        if missing:
            yield Advice("cooldown-missing", client, Severity.MEDIUM, missing, remedy)
        return
    span = read(value.text)
    places = (value.place,)
    if span is None:
        message = f"{key} is set to something that is no duration in {unit}: the client ignores it or stops"
        yield Advice("cooldown-unreadable", client, Severity.HIGH, message, remedy, places)
        return
    written = f"{key} {value.text.strip()}"
    mistake = unit_mistake(written, span, unit)
    if mistake:
        yield Advice("cooldown-unit", client, Severity.HIGH, mistake, remedy, places)
    elif not span:
        yield Advice("cooldown-off", client, Severity.MEDIUM, f"{written} switches the cooldown off", remedy, places)
    elif span < GOOD_COOLDOWN:
        message = f"{written} is {spoken(span)}: shorter than {spoken(GOOD_COOLDOWN)}"
        yield Advice("cooldown-short", client, Severity.LOW, message, remedy, places)
    else:
        yield Standing(client, f"cooldown of {spoken(span)} ({key})", places)
