"""Ready: whether what is asked for now could be handed out, found out at most once a second."""

import asyncio
import resource
from typing import Any, cast

import pytest
from starlette.requests import Request

from lazaretto.app.ports import LedgerError
from lazaretto.surfaces.firewall.access import descriptors
from lazaretto.surfaces.firewall.ready import Readiness


def test_it_is_found_out_again_after_a_second() -> None:
    """Anyone may ask as often as they like; what is found is told to all who ask within the second."""
    problems, asked, at = iter(["", "the ledger is full", ""]), 0, 0.0

    async def probe() -> None:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        if problem := next(problems):
            raise LedgerError(problem)

    async def statuses() -> list[list[int]]:
        nonlocal at
        ready, found = Readiness(probe, lambda: at), []
        for at in (100.0, 100.9, 101.1, 102.2):  # noqa: B007 - the clock reads it
            answers = await asyncio.gather(*[ready.answer(cast("Request", None)) for _ in range(3)])
            found.append([one.status_code for one in answers])
        return found

    assert asyncio.run(statuses()) == [[200] * 3, [200] * 3, [503] * 3, [200] * 3]
    assert asked == 3


@pytest.mark.parametrize(
    ("soft", "hard", "wanted", "room"),
    [
        (1024, 4096, 4096, 4096 - 512),
        (1024, 1 << 20, 1 << 16, (1 << 16) - 512),
        (1024, resource.RLIM_INFINITY, 1 << 16, (1 << 16) - 512),
        (256, 256, None, 128),
        (1 << 17, 1 << 20, None, (1 << 16) - 512),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, None, (1 << 16) - 512),
    ],
)
def test_as_many_files_as_may_be(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, wanted: int | None, room: int
) -> None:
    """What the system lets us open is asked for, never less than there is; some of it is no connection."""
    said: list[Any] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: said.append(limits))

    assert descriptors.room() == room
    assert said == ([] if wanted is None else [(wanted, hard)])
