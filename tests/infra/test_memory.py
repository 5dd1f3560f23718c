"""What was freed goes back to the system, so that memory follows the release in hand and not the largest one so far."""

import ctypes
import subprocess
import sys

import pytest

from lazaretto.infra import memory

_GROW_AND_FREE = """
import os, sys
from lazaretto.infra.memory import give_back_early

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20

if not give_back_early():
    sys.exit("unknown")
for size in (40 << 20, 1 << 20):  # with glibc's own settings, the first would make the others small ones
    blocks = [bytes([1]) * size for _ in range((120 << 20) // size)]
    pins = [bytes([1]) * 3000 for _ in range(100)]
    grown = resident()
    del blocks
print(grown - resident())
"""


def test_large_blocks_are_given_back() -> None:
    """However large those were that were freed before."""
    if not hasattr(ctypes.CDLL(None), "mallopt"):
        assert not memory.give_back_early()
        return
    done = subprocess.run([sys.executable, "-c", _GROW_AND_FREE], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 100


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_elsewhere_nothing_is_set(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only Linux is known to have the setting."""
    monkeypatch.setattr(sys, "platform", platform)
    assert not memory.give_back_early()


def test_a_library_without_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another C library is left as it is."""
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert not memory.give_back_early()
