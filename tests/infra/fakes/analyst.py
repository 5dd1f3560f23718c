"""An analyst that does as the project's name in a request says: ``python analyst.py FOLDER``."""

import os
import sys
import time
from pathlib import Path

import msgspec

from lazaretto.app.ports import ReadAnswer, ReadRequest
from lazaretto.infra.analysts import receive, send, take


def main(folder: Path) -> None:
    """Answer until the input ends, and note every request in a file of the folder."""
    while (body := receive(sys.stdin.buffer)) is not None:
        request = msgspec.msgpack.decode(body, type=ReadRequest)
        if request.project == "refuse":
            os.abort()
        if request.project == "loud":
            send(sys.stdout.buffer, request)
            continue
        take(sys.stdout.buffer)
        with (folder / "log").open("a") as log:
            log.write(f"{os.getpid()} {request.project} {request.filename}\n")
        if request.project == "crash":
            os.abort()
        if request.project == "nonsense":
            sys.stdout.buffer.write(b"\x00\x00\x00\x01x")
            sys.stdout.flush()
            continue
        if request.project == "hang":
            time.sleep(600)
        while request.project == "wait" and not (folder / "go").exists():
            time.sleep(0.01)
        send(sys.stdout.buffer, ReadAnswer(request.told, None, "allow", True, False, True, str(os.getpid())))


main(Path(sys.argv[1]))
