"""Resumable uploads: tus 1.0.0 with creation, expiration, termination and checksums.

A body is written as it comes, encrypted, and never held whole. What has arrived when a connection breaks, or the server
is killed, stays; the client asks how much that is and goes on from there.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from contextlib import ExitStack
from email.utils import format_datetime
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Header, Path, Request, Response
from starlette.requests import ClientDisconnect

from tenant_pipeline.api.authentication.authenticator import CallerOf
from tenant_pipeline.api.callers import Caller
from tenant_pipeline.api.problems import ProblemError
from tenant_pipeline.api.routes.sources import HANDING_IN_ROLES
from tenant_pipeline.api.running import RuntimeOf
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.printable import is_one_line
from tenant_pipeline.services import uploads
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.uploads import UploadEndedError, UploadRecord
from tenant_pipeline.storage.upload import Upload

router = APIRouter(prefix="/api/tenant/{tenant}/uploads", tags=["uploads"])

VERSION = "1.0.0"
ABOUT = {
    "Tus-Resumable": VERSION,
    "Tus-Version": VERSION,
    "Tus-Extension": "creation,expiration,termination,checksum",
    "Tus-Max-Size": str(uploads.LARGEST_FILE),
    "Tus-Checksum-Algorithm": "sha256",
}
OFFSET_STREAM = "application/offset+octet-stream"
LONGEST_METADATA = 4000
AT_ONCE_BYTES = 1024 * 1024

UploadPath = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
Resumable = Annotated[str, Header(pattern=r"^1\.0\.0$", description="The version of tus.")]


@router.options("", status_code=204, response_class=Response)
def about(caller: CallerOf) -> Response:
    """What this server knows of tus."""
    return Response(status_code=204, headers=ABOUT)


@router.post("", status_code=201, response_class=Response)
def begin(
    caller: CallerOf,
    runtime: RuntimeOf,
    request: Request,
    tus_resumable: Resumable,
    upload_length: Annotated[int, Header(ge=0, le=uploads.LARGEST_FILE)],
    upload_metadata: Annotated[str, Header(min_length=1, max_length=LONGEST_METADATA)],
) -> Response:
    """Begin an upload. Its metadata name the file (`filename`), or its path in its folder (`relativePath`)."""
    caller.require(HANDING_IN_ROLES)
    metadata = _metadata(upload_metadata)
    path = metadata.get("relativePath") or metadata.get("filename", "")
    if not path:
        raise ProblemError(409, "metadata-invalid", "The file has no name", "Give `filename` or `relativePath`.")
    if len(path) > 1000 or not is_one_line(path):
        said = "The file's path is too long, or holds a control character or an end of line"
        raise ProblemError(409, "metadata-invalid", said, "Rename the file.")
    begun = uploads.begin_upload(runtime, caller.tenant, path=path, length=upload_length, person=caller.person)
    place = f"{request.url.path}/{begun.id}"
    return Response(status_code=201, headers={**_headers(begun, 0), "Location": place})


@router.head("/{upload}", response_class=Response)
def offset(upload: UploadPath, caller: CallerOf, runtime: RuntimeOf, tus_resumable: Resumable) -> Response:
    """How much of it has arrived; where that is all of it, it is stored before that is said."""
    record = _own(runtime, caller, upload)
    if record.sha256 is not None:
        return Response(headers={**_headers(record, record.length), "Cache-Control": "no-store"})
    with uploads.going_on(runtime, caller.tenant, upload, caller.person) as (record, arriving):
        if arriving.offset == record.length:  # its last step failed, and nothing is left to send
            uploads.finish(runtime, caller.tenant, record, arriving)
        return Response(headers={**_headers(record, arriving.offset), "Cache-Control": "no-store"})


@router.patch("/{upload}", status_code=204, response_class=Response)
async def go_on(
    upload: UploadPath,
    caller: CallerOf,
    runtime: RuntimeOf,
    request: Request,
    tus_resumable: Resumable,
    upload_offset: Annotated[int, Header(ge=0, le=uploads.LARGEST_FILE)],
    content_type: Annotated[str, Header(pattern=rf"^{OFFSET_STREAM.replace('+', '[+]')}$")],
    upload_checksum: Annotated[
        str, Header(pattern=r"^(sha256 [A-Za-z0-9+/]{43}=)?$", description="Of this body, if it is to be compared.")
    ] = "",
) -> Response:
    """Send what follows at the offset."""
    caller.require(HANDING_IN_ROLES)
    record = await to_thread.run_sync(_own, runtime, caller, upload)
    if record.sha256 is not None:
        if upload_offset != record.length:
            raise ProblemError(409, "offset-conflict", "All of it is there", "Ask how much has arrived.")
        return Response(status_code=204, headers=_headers(record, record.length))
    with ExitStack() as stack:
        record, arriving = await to_thread.run_sync(_taken, stack, runtime, caller, upload)
        try:
            await _write(request, record, arriving, upload_offset, upload_checksum)
            arrived = arriving.offset
            if arrived == record.length:
                await to_thread.run_sync(uploads.finish, runtime, caller.tenant, record, arriving)
        finally:
            await to_thread.run_sync(stack.close)
    return Response(status_code=204, headers=_headers(record, arrived))


@router.delete("/{upload}", status_code=204, response_class=Response)
def give_up(upload: UploadPath, caller: CallerOf, runtime: RuntimeOf, tus_resumable: Resumable) -> Response:
    """Give an upload up."""
    _own(runtime, caller, upload)
    uploads.give_up(runtime, caller.tenant, upload, caller.person)
    return Response(status_code=204, headers={"Tus-Resumable": VERSION})


async def _write(request: Request, record: UploadRecord, arriving: Upload, offset: int, checksum: str) -> None:
    """Write the body as it comes; with a checksum, only after all of it was compared."""
    if offset != arriving.offset:
        raise ProblemError(409, "offset-conflict", "Another part is next", "Ask how much has arrived.")
    waiting, held = bytearray(), hashlib.sha256()
    try:
        async for piece in request.stream():
            if arriving.offset + len(waiting) + len(piece) > record.length:
                raise ProblemError(413, "upload-too-long", "There is more than was announced", "Begin it anew.")
            waiting += piece
            held.update(piece)
            if not checksum and len(waiting) >= AT_ONCE_BYTES:
                await to_thread.run_sync(arriving.write, bytes(waiting))
                waiting.clear()
            elif checksum and len(waiting) > 64 * AT_ONCE_BYTES:
                raise ProblemError(413, "part-too-long", "A part with a checksum is too long", "Send smaller parts.")
    except ClientDisconnect:
        if checksum:
            waiting.clear()
    if checksum and base64.b64decode(checksum.split()[1]) != held.digest():
        raise ProblemError(460, "checksum-mismatch", "The part was changed on its way", "Send it again.")
    if waiting:
        await to_thread.run_sync(arriving.write, bytes(waiting))


def _own(runtime: Runtime, caller: Caller, upload: str) -> UploadRecord:
    caller.require(HANDING_IN_ROLES)
    try:
        return uploads.find_upload(runtime, caller.tenant, upload, caller.person)
    except UploadEndedError as error:
        raise ProblemError(410, error.code, error.what, error.remedy) from None


def _taken(stack: ExitStack, runtime: Runtime, caller: Caller, upload: str) -> tuple[UploadRecord, Upload]:
    try:
        return stack.enter_context(uploads.going_on(runtime, caller.tenant, upload, caller.person))
    except InputError as error:
        raise ProblemError(423, "upload-locked", error.what, error.remedy) from None


def _headers(record: UploadRecord, offset: int) -> dict[str, str]:
    return {
        "Tus-Resumable": VERSION,
        "Upload-Offset": str(offset),
        "Upload-Length": str(record.length),
        "Upload-Expires": format_datetime(record.expires_at, usegmt=True),
    }


def _metadata(text: str) -> dict[str, str]:
    """Pairs of a key and a base64 value, as tus has them."""
    found = {}
    try:
        for pair in text.split(","):
            key, _, value = pair.strip().partition(" ")
            found[key] = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise ProblemError(409, "metadata-invalid", "The metadata cannot be read", "Encode them as tus asks.") from None
    return found
