"""Files and folders handed in as a unit: streamed into the raw zone, never loaded whole."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.origin import Unit, UnitFile, UnitMode
from tenant_pipeline.core.printable import is_one_line
from tenant_pipeline.core.tables import RawObjects

RESUMED_FROM_BYTES = 64 * 1024 * 1024
"""Copying a file of this size goes on where it was interrupted; a smaller one is copied anew."""
BUNDLE_SUFFIXES = (".zip", ".json", ".jsonl", ".ndjson", ".md", ".html")


def unit_from_paths(mode: UnitMode, paths: Sequence[Path], raw: RawObjects) -> Unit:
    """Copy files into the raw zone and describe them as a unit.

    `single-file` is exactly one regular file, `folder` one directory with all that lies below it, `ai-bundle` one or
    more exports (ZIP, JSON, Markdown, HTML) or one directory of them. Paths inside the unit are NFC and '/'-separated.

    Raises InputError for a missing path, a symbolic link, an empty folder, or what does not fit the mode.
    """
    if mode is UnitMode.LINK:
        raise InputError("A link is not a path", where="unit mode", remedy="Hand the address in as a link.")
    if not paths:
        raise InputError("No path was given", where="paths", remedy="Name the file or folder to hand in.")
    for path in paths:
        _check_given(path)
    if len(paths) == 1 and paths[0].is_dir():
        if mode is UnitMode.SINGLE_FILE:
            raise InputError(
                "A folder was given where one file is expected", where=str(paths[0]), remedy="Use the unit mode folder."
            )
        return Unit(mode, _copied(_below(paths[0]), raw))
    if mode is UnitMode.FOLDER:
        raise InputError(
            "The unit mode folder takes exactly one folder",
            where=str(paths[0]),
            remedy="Give one folder, or use single-file.",
        )
    if mode is UnitMode.SINGLE_FILE and len(paths) != 1:
        raise InputError(
            "The unit mode single-file takes exactly one file", where="paths", remedy="Put the files into a folder."
        )
    if mode is UnitMode.AI_BUNDLE:
        for path in paths:
            if not path.is_file() or path.suffix.lower() not in BUNDLE_SUFFIXES:
                raise _no_bundle(str(path))
    return Unit(mode, _copied(((path.name, path) for path in paths), raw))


def unit_from_uploads(mode: UnitMode, files: Sequence[UnitFile]) -> Unit:
    """Files that are in the raw zone already as a unit, as `unit_from_paths` would make it of them.

    The one folder that all lie in is the unit's own, and is not part of their paths. Raises InputError for a path that
    leads elsewhere or is not one line, for two files of one name, and for what does not fit the mode.
    """
    if mode is UnitMode.LINK or not files:
        raise InputError("There is no file", where="uploads", remedy="Upload what is to be handed in.")
    paths = [_checked_inside(file.path) for file in files]
    if mode is UnitMode.AI_BUNDLE and not any("/" in path or path.lower().endswith(BUNDLE_SUFFIXES) for path in paths):
        raise _no_bundle("uploads")
    if mode is not UnitMode.SINGLE_FILE and len({path.partition("/")[0] for path in paths if "/" in path}) == 1:
        paths = [path.partition("/")[2] for path in paths] if all("/" in path for path in paths) else paths
    if mode is UnitMode.SINGLE_FILE and len(files) != 1:
        raise InputError(
            "The unit mode single-file takes exactly one file", where="uploads", remedy="Hand them in as a folder."
        )
    if len(set(paths)) != len(paths):
        raise InputError("Two files have the same name", where="uploads", remedy="Rename one of them.")
    return Unit(mode, tuple(UnitFile(path, file.sha256, file.size) for path, file in zip(paths, files, strict=True)))


def _no_bundle(where: str) -> InputError:
    return InputError(
        "An AI bundle is made of exports in ZIP, JSON, Markdown or HTML, or is one folder of them",
        where=where,
        remedy="Hand in the export as it was downloaded, and anything else as a file or folder.",
    )


def _checked_inside(path: str) -> str:
    inside = unicodedata.normalize("NFC", path)
    parts = inside.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\\" in inside:
        raise InputError("The path leads elsewhere", where="uploads", remedy="Give each file's path in its folder.")
    if not is_one_line(inside):
        raise InputError(
            "The path holds a control character or an end of line", where="uploads", remedy="Rename the file."
        )
    return inside


def _check_given(path: Path) -> None:
    where = str(path)
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:
        raise InputError("There is no such file or folder", where=where, remedy="Check the path.") from None
    except OSError:
        raise InputError("The path cannot be read", where=where, remedy="Check its permissions.") from None
    if stat.S_ISLNK(kind):
        raise InputError("Symbolic links are not followed", where=where, remedy="Give the file or folder itself.")
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        raise InputError("Neither a regular file nor a folder", where=where, remedy="Give a file or a folder.")


def _below(folder: Path) -> Iterator[tuple[str, Path]]:
    """All files below a folder with their relative paths. Raises InputError at the first link or special file."""
    for parent, folders, files in os.walk(folder, onerror=_unreadable):
        folders.sort()
        for name in [*folders, *sorted(files)]:
            path = Path(parent, name)
            _check_given(path)
            if path.is_file():
                yield path.relative_to(folder).as_posix(), path


def _unreadable(error: OSError) -> None:
    raise InputError("A folder cannot be read", where=str(error.filename), remedy="Check its permissions.") from error


def _copied(files: Iterator[tuple[str, Path]], raw: RawObjects) -> tuple[UnitFile, ...]:
    copied: dict[str, UnitFile] = {}
    for name, path in files:
        inside = unicodedata.normalize("NFC", name)
        if inside in copied:
            raise InputError("Two files have the same name", where="paths", remedy="Rename one of them.")
        try:
            inside.encode()
            stream = path.open("rb")
        except UnicodeEncodeError:
            raise InputError("A file name is not Unicode", where="paths", remedy="Rename the file.") from None
        except OSError:
            raise InputError("A file cannot be read", where="paths", remedy="Check its permissions.") from None
        with stream:
            about = os.fstat(stream.fileno())
            if about.st_size < RESUMED_FROM_BYTES:
                digest, size = raw.put(stream)
            else:
                digest, size = raw.put_resumably(stream, f"{path.absolute()}:{about.st_size}:{about.st_mtime_ns}")
        copied[inside] = UnitFile(inside, digest, size)
    if not copied:
        raise InputError("The folder holds no files", where="folder", remedy="Put the files to hand in into it.")
    return tuple(sorted(copied.values(), key=lambda file: file.path))
