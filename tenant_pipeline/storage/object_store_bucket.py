"""Objects in a bucket of an S3-compatible store: made on this machine's disk, sent whole, read by ranges.

A name appears when its upload is complete, and never holds a part of a file. Refused requests, lost connections and
time-outs are tried again for a while; what then still fails is told in our own words, because the driver's messages
hold request headers.
"""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from obstore import exceptions
from obstore.store import S3Store

from tenant_pipeline.core.errors import SettingsError, StoreUnavailableError
from tenant_pipeline.core.sized_stream import SizedStream
from tenant_pipeline.storage.object_store_folder import ObjectStore

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SETTING = "TENANT_RUNTIME_OBJECT_STORE_URL"
PART_BYTES = 8 * 1024 * 1024
MOST_PARTS = 9_000
"""Fewer than the ten thousand parts that S3 puts a file together of: a longer file is sent in larger parts."""
PARTS_AT_ONCE = 4
FILES_AT_ONCE = 2
READ_AHEAD_BYTES = 4 * 1024 * 1024
LONGEST_CONNECT_SECONDS = 5.0
RENEWED_AFTER = timedelta(days=1)
"""A file that is handed in again is sent again when it is older: nothing younger than a week is removed."""

_log = logging.getLogger(__name__)


class BucketStore:
    """Files of a bucket below a prefix.

    A request that has no answer after `request_seconds` has failed; one that fails is tried again for `retry_seconds`.
    """

    private = False

    def __init__(self, url: str, staging: Path, retry_seconds: float, request_seconds: float) -> None:
        self.staging = staging
        try:
            self._bucket = S3Store.from_url(
                url,
                client_options={
                    "timeout": timedelta(seconds=request_seconds),
                    "connect_timeout": timedelta(seconds=min(request_seconds, LONGEST_CONNECT_SECONDS)),
                    # Options given here hide this one of the driver's own variables.
                    "allow_http": os.environ.get("AWS_ALLOW_HTTP", "").lower() == "true",
                },
                retry_config={"retry_timeout": timedelta(seconds=retry_seconds)},
            )
        except exceptions.BaseError:
            raise SettingsError(
                "The object store cannot be reached as it is configured",
                where=SETTING,
                remedy="Check the URL (s3://bucket/prefix) and the AWS_ variables.",
            ) from None

    def __repr__(self) -> str:
        return "BucketStore(…)"

    def check(self) -> None:
        """Look into the bucket. Raises SettingsError where it is missing or closed to us, StoreUnavailableError."""
        with _told():
            next(iter(self._bucket.list("check", chunk_size=1)), None)

    def holds(self, name: str) -> bool:
        """Whether there is a file of that name."""
        try:
            with _told():
                self._bucket.head(name)
        except FileNotFoundError:
            return False
        return True

    def open(self, name: str) -> BinaryIO:
        """The bytes, seekable, fetched as they are read. Raises FileNotFoundError."""
        try:
            with _told():
                size = self._bucket.head(name)["size"]
        except FileNotFoundError:
            self.check()  # of a bucket that is missing a HEAD says no more than of a missing file
            raise
        return cast("BinaryIO", io.BufferedReader(_Ranges(self._bucket, name, size), READ_AHEAD_BYTES))

    def read(self, name: str) -> bytes:
        """All bytes of a small file. Raises FileNotFoundError."""
        with _told():
            return bytes(self._bucket.get(name).bytes())

    def publish(self, files: Sequence[tuple[str, Path | None]]) -> None:
        """Send files: the last one last, when the others are there for good."""
        *others, last = files
        waiting = [(name, file) for name, file in others if file is not None]
        if waiting:
            with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
                list(pool.map(lambda each: self._send(*each), waiting))
        name, file = last
        if file is not None:
            self._send(name, file)

    def create(self, name: str, content: bytes) -> bool:
        """Write a small file unless there is one of that name: by the store itself where it knows If-None-Match."""
        if self.holds(name):
            return False
        try:
            with _told():
                self._bucket.put(name, content, mode="create", use_multipart=False)
        except FileExistsError:
            return False
        return True

    def write(self, name: str, content: bytes) -> None:
        """Write a small file in place of what was there."""
        with _told():
            self._bucket.put(name, content, use_multipart=False)

    def listed(self, prefix: str, *, after: str | None = None) -> Iterator[tuple[str, int]]:
        """Every file below a folder of names, or those behind a name in their order: its name and its size in bytes."""
        with _told():
            for found in self._bucket.list(prefix, offset=after):
                for each in found:
                    yield each["path"], each["size"]

    def dated(self, prefix: str) -> Iterator[tuple[str, int, datetime]]:
        """As `listed`, and when each file was last sent."""
        with _told():
            for found in self._bucket.list(prefix):
                for each in found:
                    yield each["path"], each["size"], each["last_modified"]

    def renew(self, name: str) -> bool:
        """Whether a file was sent so lately that it need not be sent again."""
        try:
            with _told():
                return bool(datetime.now(UTC) - self._bucket.head(name)["last_modified"] < RENEWED_AFTER)
        except FileNotFoundError:
            return False

    def remove(self, name: str, before: datetime) -> bool:
        """Delete a file that was last sent before then; whether it was."""
        try:
            with _told():
                if self._bucket.head(name)["last_modified"] >= before:
                    return False
                self._bucket.delete(name)
        except FileNotFoundError:
            return False
        return True

    def delete(self, prefix: str) -> int:
        """Delete a file, or all below a folder of names and here what is in the making of it; return how many files."""
        deleted = 0
        if self.holds(prefix):
            with _told():
                self._bucket.delete(prefix)
            deleted += 1
        with _told():
            for found in self._bucket.list(prefix, chunk_size=1000):
                self._bucket.delete([each["path"] for each in found])
                deleted += len(found)
        return deleted + ObjectStore(self.staging).delete(prefix)

    def _send(self, name: str, file: Path) -> None:
        part = max(PART_BYTES, -(-file.stat().st_size // MOST_PARTS))
        with _told():
            self._bucket.put(name, file, chunk_size=part, max_concurrency=PARTS_AT_ONCE)


class _Ranges(SizedStream):
    """A file of the bucket, fetched range by range."""

    def __init__(self, bucket: S3Store, name: str, size: int) -> None:
        super().__init__(size)
        self._bucket = bucket
        self._name = name

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), self._size - self._position)
        if wanted <= 0:
            return 0
        with _told():
            piece = memoryview(self._bucket.get_range(self._name, start=self._position, length=wanted))
        if len(piece) != wanted:  # read on, it would look like a file that was damaged
            raise _unavailable()
        view[:wanted] = piece
        self._position += len(piece)
        return len(piece)


@contextmanager
def _told() -> Iterator[None]:
    """Turn what the driver says into our errors, without its words."""
    try:
        yield
    except (exceptions.AlreadyExistsError, FileExistsError):
        raise FileExistsError from None
    except (exceptions.BaseError, FileNotFoundError) as error:
        raise _in_our_words(error) from None


def _in_our_words(error: Exception) -> Exception:
    said = str(error)  # the kind of the error alone does not tell: of a refused listing it says nothing
    if "NoSuchBucket" in said:
        return SettingsError(
            "There is no such bucket", where=SETTING, remedy="Make the bucket, or name another in the URL."
        )
    refused = isinstance(error, exceptions.PermissionDeniedError | exceptions.UnauthenticatedError)
    if refused or "403 Forbidden" in said or "401 Unauthorized" in said:
        return SettingsError(
            "The object store refuses the credentials",
            where=SETTING,
            remedy="Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION; the key must read, write, list and"
            " delete below the prefix.",
        )
    if isinstance(error, exceptions.NotFoundError | FileNotFoundError):
        return FileNotFoundError()
    return _unavailable()


def _unavailable() -> StoreUnavailableError:
    _log.error("the object store does not answer as it should")
    return StoreUnavailableError(
        "The object store does not answer as it should",
        where=SETTING,
        remedy="Check AWS_ENDPOINT and the store's own state, then run again: nothing half-written is left.",
    )
