"""Virtual environments of the peers, each at a version that is named here: none of their code is imported by ours.

matchering is under the GPL, libsonare and pedalboard have licences of their own: they run as programs, and are made once.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

VERSIONS = {"matchering": "2.0.6", "ffmpeg-normalize": "1.43.0", "libsonare": "1.9.1", "pedalboard": "0.9.26"}


def installed(folder: Path, package: str) -> Path:
    """The folder of a peer's programs; makes its environment if there is none of this version."""
    home = folder / f"{package}-{VERSIONS[package]}"
    finished = home / "finished"
    if not finished.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        subprocess.run([str(home / "bin" / "pip"), "install", "--quiet", f"{package}=={VERSIONS[package]}"], check=True)
        finished.touch()
    return home / "bin"
