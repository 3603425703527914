"""File systems of real Debian packages, laid out as distroless does, for any processor."""

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

from tests.support.live import unless_live

PACKAGES = ("base-files", "busybox-static", "libc6", "zlib1g")


def distroless(architecture: str, folder: Path) -> bytes:
    """Return a tar of these packages' files, with their control files where Trivy reads them.

    Nothing of them is run, so the architecture may be another than this machine's.
    """
    if not shutil.which("mmdebstrap"):
        unless_live("mmdebstrap is not installed")
    root = folder / f"{architecture}.tar"
    subprocess.run(
        [
            *("mmdebstrap", "--quiet", "--variant=extract", "--skip=cleanup/apt"),
            *(f"--architectures={architecture}", f"--include={','.join(PACKAGES)}"),
            *("trixie", root),
        ],
        check=True,
    )
    written = io.BytesIO()
    with tarfile.open(root) as made, tarfile.open(fileobj=written, mode="w") as image:
        for member in made:
            name = member.name.removeprefix("./")
            if name.endswith(".deb"):
                content = made.extractfile(member)
                assert content is not None
                _add_control(image, content.read(), folder)
            elif member.isreg() and not name.startswith("var/"):
                image.addfile(member, made.extractfile(member))
            elif member.issym() or member.isdir():
                image.addfile(member)
    return written.getvalue()


def _add_control(image: tarfile.TarFile, deb: bytes, folder: Path) -> None:
    """Add the control file and the checksums of a package to an image."""
    path = folder / "package.deb"
    path.write_bytes(deb)
    control = _output("dpkg-deb", "--field", path)
    name = next(line for line in control.splitlines() if line.startswith(b"Package:"))[9:].decode()
    _add(image, f"var/lib/dpkg/status.d/{name}", control)
    with tarfile.open(fileobj=io.BytesIO(_output("dpkg-deb", "--ctrl-tarfile", path))) as files:
        sums = files.extractfile("./md5sums")
        assert sums is not None
        _add(image, f"var/lib/dpkg/status.d/{name}.md5sums", sums.read())


def _output(*command: str | Path) -> bytes:
    return subprocess.run(command, check=True, capture_output=True).stdout


def _add(image: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    image.addfile(info, io.BytesIO(content))
