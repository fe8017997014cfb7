"""Builds a wheel of one module by hand, and installs it with pip, both without a network and a build backend."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import tomllib
from pathlib import Path
from zipfile import ZipFile

from luthien_site.bootstrap import base_python


def build(source: Path, folder: Path) -> Path:
    """The wheel of the project in `source`: its one module, and the entry points of its pyproject.toml."""
    project = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    name = project["name"].replace("-", "_")
    info = f"{name}-{project['version']}.dist-info"
    points = (
        f"[{group}]\n" + "".join(f"{point} = {value}\n" for point, value in found.items())
        for group, found in project["entry-points"].items()
    )
    files = {
        f"{name}.py": (source / f"{name}.py").read_text(encoding="utf-8"),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "\n".join(points),
    }
    record = "".join(f"{path},{_digest(text)},{len(text.encode())}\n" for path, text in files.items())
    wheel = folder / f"{name}-{project['version']}-py3-none-any.whl"
    with ZipFile(wheel, "w") as archive:
        for path, text in (files | {f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}).items():
            archive.writestr(path, text)
    return wheel


def install(wheel: Path, target: Path) -> None:
    """Installs `wheel` into the folder `target`, by the pip of the Python that Luthien was set up with."""
    pip = (base_python(), "-m", "pip", "--isolated", "--disable-pip-version-check", "install", "--quiet")
    subprocess.run([*pip, "--no-index", "--no-deps", "--target", str(target), str(wheel)], check=True)


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
