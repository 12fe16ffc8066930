"""A skill's folder as one archive and back. The same files always give the same hash, so that it can be approved."""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from curator.errors import CuratorError
from curator.skillevolve import limits

if TYPE_CHECKING:
    from collections.abc import Iterator

_LARGEST = 100_000_000
"""Bytes that an archive may unpack to."""
_SKIPPED = frozenset({"__pycache__", "node_modules"})


class ArchiveError(CuratorError):
    """A folder cannot be packed, or an archive not unpacked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    tar: bytes
    """Not compressed: compressors differ from machine to machine, and a hash of this is what is approved."""
    files: tuple[str, ...]
    """Relative to the folder, sorted."""


def pack(folder: Path) -> Archive:
    """The folder as a tar file, without hidden files and caches.

    Raises:
        ArchiveError: it holds no SKILL.md, a link, or more than the site takes.
    """
    if not (folder / "SKILL.md").is_file():
        raise ArchiveError(f"{folder} holds no SKILL.md; name the folder of a skill")
    files = sorted(
        path.relative_to(folder)
        for path in folder.rglob("*")
        if not path.is_dir() and not any(_is_skipped(part) for part in path.relative_to(folder).parts)
    )
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for name in files:
            path = folder / name
            if path.is_symlink() or not path.is_file():
                raise ArchiveError(f"{path} is no ordinary file; only those can be uploaded")
            data = _bytes(path)
            info = tarfile.TarInfo(f"{folder.resolve().name}/{name.as_posix()}")
            info.size, info.mode = len(data), 0o644
            tar.addfile(info, io.BytesIO(data))
    size = len(compressed(plain.getvalue()))
    if size > limits.UPLOAD_BYTES:
        raise ArchiveError(f"{folder} makes {size:,} bytes, {limits.UPLOAD_BYTES:,} are allowed; leave files out")
    return Archive(tar=plain.getvalue(), files=tuple(name.as_posix() for name in files))


def compressed(tar: bytes) -> bytes:
    """A tar file as the site takes it."""
    return gzip.compress(tar, mtime=0)


def contents(tar: bytes) -> Iterator[tuple[str, bytes]]:
    """The files of an archive of ours, by their path in it."""
    with tarfile.open(fileobj=io.BytesIO(tar), mode="r:") as opened:
        for member in opened:
            file = opened.extractfile(member)
            if file is not None:
                yield member.name.partition("/")[2], file.read()


def unpack(data: bytes, target: Path) -> Path:
    """Unpack an archive from the site in place of ``target``; nothing is written outside of it.

    Raises:
        ArchiveError: it is no archive, too large, or would write elsewhere; what was there stays.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:*") as tar:
            size = 0
            for member in tar:
                size += member.size
                if size > _LARGEST:
                    raise ArchiveError(f"the archive unpacks to more than {_LARGEST:,} bytes; nothing was kept")
                tar.extract(member, part, filter="data")
        if target.exists():
            shutil.rmtree(target)
        part.rename(target)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ArchiveError(f"the archive cannot be unpacked ({error}); nothing was kept") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return target


def _is_skipped(part: str) -> bool:
    return part.startswith(".") or part in _SKIPPED


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArchiveError(f"cannot read {path}: {error.strerror}; mend its permissions") from error
