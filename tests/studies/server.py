"""A real PostgreSQL server for a test: files below a folder of its own, a Unix socket in place of a port."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def binary(name: str) -> str:
    found = [shutil.which(name), *sorted(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), reverse=True)]
    assert any(found), "`make postgres` installs PostgreSQL"
    return next(path for path in found if path)


@contextmanager
def postgres() -> Iterator[str]:
    """The address of an empty database. The server will not run as root, so root becomes another user for it."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # a short path: a socket's has at most 107 bytes
    other: list[str] = []
    if os.getuid() == 0:
        user = pwd.getpwnam("postgres" if "postgres" in {entry.pw_name for entry in pwd.getpwall()} else "nobody")
        os.chown(folder, user.pw_uid, user.pw_gid)
        other = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    data = folder / "data"
    initial = [binary("initdb"), "-D", str(data), "-U", "lmrl", "-A", "trust", "--no-sync"]
    subprocess.run([*other, *initial], check=True, capture_output=True, cwd=folder)
    options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
    line = [*other, binary("postgres"), "-D", str(data), *options]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(line, stdout=log, stderr=log, cwd=folder)
    try:
        ready = [binary("pg_isready"), "-q", "-h", str(folder)]
        while subprocess.run(ready).returncode:
            assert server.poll() is None, (folder / "log").read_text()
            time.sleep(0.05)
        yield f"postgresql://lmrl@/postgres?host={folder}"
    finally:
        server.send_signal(signal.SIGINT)  # the others wait for who is still connected, or recover at the next start
        server.wait()
        shutil.rmtree(folder)
