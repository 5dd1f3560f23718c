"""``python -m lazaretto.surfaces.firewall.analyst``: one analyst, started by the firewall (``infra.analysts``).

It has an application of its own, with readers of its own, and a fresh look at the index for each request.
"""

import gc
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue

import msgspec

from lazaretto.app.ports import ReadRequest
from lazaretto.bootstrap import App
from lazaretto.infra.analysts import receive, send, take
from lazaretto.settings import load

NICENESS = 5
"""Whoever waits for a page comes before whoever waits for a reading."""


def main(arguments: Sequence[str]) -> int:
    """Answer requests until the input ends. Takes the path of the settings, or nothing."""
    explicit = Path(arguments[0]) if arguments else None
    settings = load(os.environ, Path.cwd(), Path.home(), explicit)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever else this process prints must not be taken for an answer
    os.nice(NICENESS)
    with App(settings, service=True) as app:
        app.prepare()
        gc.freeze()  # what is there now stays: whoever looks for garbage need not look at it
        requests: SimpleQueue[bytes] = SimpleQueue()
        threading.Thread(target=_listen, args=(requests,), daemon=True).start()
        while True:
            request = msgspec.msgpack.decode(requests.get(), type=ReadRequest)
            take(answers)
            send(answers, app.appraise(request))


def _listen(requests: "SimpleQueue[bytes]") -> None:
    """Take requests off the input; when it ends, so does the process, whatever it is doing."""
    while (body := receive(sys.stdin.buffer)) is not None:
        requests.put(body)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
