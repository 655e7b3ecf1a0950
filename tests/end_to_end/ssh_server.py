"""OpenSSH's server on the loopback, for tests: on a free port, with keys that are thrown away."""

from __future__ import annotations

import contextlib
import os
import pwd
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from terminal_driver import BP_TUI, ROOT, TIMEOUT, Terminal, terminal

SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/sbin"
SEPARATION = Path("/run/sshd")
"""Where the server, run by root, wants an empty folder to be."""

SERVER = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/client.pub
PidFile none
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
PrintLastLog no
LogLevel ERROR
"""


def _tool(name: str) -> str:
    found = shutil.which(name, path=SBIN)
    if found is None:
        pytest.skip(f"needs OpenSSH: there is no {name} here")
    return found


class SshServer:
    """A running server, and how to get in.

    Args:
        folder: an empty one for its keys.
    """

    def __init__(self, folder: Path) -> None:
        server, self._client, keygen = _tool("sshd"), _tool("ssh"), _tool("ssh-keygen")
        if os.getuid() == 0 and not SEPARATION.exists():
            SEPARATION.mkdir(mode=0o755)
        self._folder = folder
        for key in ("host", "client"):
            subprocess.run(
                [keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)], check=True
            )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        config = folder / "sshd_config"
        config.write_text(SERVER.format(port=self._port, folder=folder))
        with open(folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                [server, "-D", "-e", "-f", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait()

    def _wait(self) -> None:
        """Wait until the server lets us in."""
        end = time.monotonic() + TIMEOUT
        while self.process.poll() is None:
            told = subprocess.run([*self.command(), "true"], capture_output=True, check=False)
            if told.returncode == 0:
                return
            refused = b"refused" in told.stderr and b"Permission denied" not in told.stderr
            if not refused or time.monotonic() > end:
                self.close()
                pytest.skip(f"the ssh server does not let us in: {told.stderr.decode().strip()}")
            time.sleep(0.05)
        pytest.skip(f"the ssh server does not start: {(self._folder / 'log').read_text().strip()}")

    def command(self) -> tuple[str, ...]:
        """The client's command, up to what is to be run at the other end."""
        options = {
            "StrictHostKeyChecking": "no",
            "UserKnownHostsFile": "/dev/null",
            "IdentitiesOnly": "yes",
            "BatchMode": "yes",
            "LogLevel": "ERROR",
        }
        return (
            *(self._client, "-tt", "-F", "/dev/null", "-e", "none"),
            *("-p", str(self._port), "-i", str(self._folder / "client")),
            *(f"-o{name}={value}" for name, value in options.items()),
            f"{pwd.getpwuid(os.getuid()).pw_name}@127.0.0.1",
        )

    @contextlib.contextmanager
    def terminal(self, script: str, folder: Path) -> Iterator[Terminal]:
        """A terminal whose ssh client runs a script of `sh` at the other end.

        Args:
            script: in which `./bp` is the program; its process is told by `program`.
            folder: where it is run.
        """
        variables = {
            "PYTHONPATH": ROOT,
            "XDG_STATE_HOME": os.environ["XDG_STATE_HOME"],
            "XDG_CACHE_HOME": str(folder),
            "LC_ALL": "C.UTF-8",
            "PS1": "READY> ",
        }
        settings = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
        start = folder / "bp"
        start.write_text(f'#!/bin/sh\necho $$ > pid\nexec {shlex.join(BP_TUI)} "$@"\n')
        start.chmod(0o755)
        remote = "\n".join([*settings, f"cd {shlex.quote(str(folder))}", script])
        with terminal(
            shlex.join(["sh", "-c", remote]), folder=folder, command=self.command()
        ) as it:
            yield it

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(TIMEOUT)


def program(folder: Path) -> int:
    """The process of the screen at the other end."""
    return int((folder / "pid").read_text())
