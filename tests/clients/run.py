#!/usr/bin/env python3
"""Drives the real clients of coding agents through Bidboard's presets, against the scripted model server (tests/support/model_server).

usage: run.py BIDBOARD [CLIENT | SITUATION]...

Each client in each situation is one check. Without arguments all are run. Installs the pinned versions of the clients into build/clients/
first. As root the checks run in a network namespace of their own, in which there is loopback and nothing else.
"""

import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import traceback
from pathlib import Path

from clients import CLIENTS
from situations import SITUATIONS, why_not
from world import Failed

APART = "BIDBOARD_CLIENTS_APART"
CHECK_S_MAX = 600


def go_apart() -> None:
    """Begins anew in a network namespace; what is there already stays as it is where that is not allowed."""
    if APART in os.environ or os.geteuid() != 0:
        return
    if subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode != 0:
        return
    os.environ[APART] = "1"
    os.execvp("unshare", ["unshare", "--net", sys.executable, *sys.argv])


def raise_loopback() -> None:
    set_flags, up_and_running = 0x8914, 0x41  # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh14x", b"lo", up_and_running))


def too_long(*_):
    raise Failed(f"it did not end within {CHECK_S_MAX} s")


def passes(name: str, check, bidboard: Path, client) -> bool:
    begun = time.monotonic()
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(CHECK_S_MAX)
    try:
        check(bidboard, client)
    except Exception as error:  # one check that breaks must not end the others
        signal.alarm(0)
        print(f"FAILED {name}: {error if isinstance(error, Failed) else ''.join(traceback.format_exception(error))}")
        print("    " + getattr(error, "report", "").replace("\n", "\n    "), flush=True)
        return False
    finally:
        signal.alarm(0)
    print(f"passed {name} ({time.monotonic() - begun:.0f} s)", flush=True)
    return True


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    bidboard = Path(sys.argv[1]).resolve()
    words = sys.argv[2:]
    known = {client.name for client in CLIENTS} | {situation.__name__ for situation in SITUATIONS}
    if unknown := [word for word in words if word not in known]:
        print(f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(known))}", file=sys.stderr)
        return 2
    clients = [client for client in CLIENTS if client.name in words] or CLIENTS
    situations = [situation for situation in SITUATIONS if situation.__name__ in words] or SITUATIONS
    if APART not in os.environ:
        for client in clients:
            client.install()
        go_apart()
    else:
        raise_loopback()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that every world is taken down
    outcomes = []
    for client in clients:
        for situation in situations:
            name = f"{client.name} {situation.__name__}"
            if reason := why_not(client, situation):
                print(f"not possible: {name}: {reason}", flush=True)
                continue
            outcomes.append(passes(name, situation, bidboard, client))
    print(f"{sum(outcomes)} passed, {len(outcomes) - sum(outcomes)} failed")
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
