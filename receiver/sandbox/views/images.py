"""Images: uploaded as files or in Base64, known by the hash of their content."""

from __future__ import annotations

import binascii
import hashlib
from base64 import b64decode

from receiver.graph.serve import BadParameter
from receiver.sandbox.calls.errors import GraphFault
from receiver.sandbox.calls.messages import UploadedFile
from receiver.sandbox.views import specs
from receiver.sandbox.views.context import Context, EdgeCall, Json
from receiver.sandbox.views.objects import KINDS
from receiver.sandbox.world.objects import GraphObject, ObjectKind
from receiver.sandbox.world.world import Account

_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"II*\x00", b"MM\x00*")
"""How JPEG, PNG, GIF, BMP and both kinds of TIFF begin."""

_WRONG_FILE_TYPE = 1487411


def create_images(context: Context, account: Account) -> Json:
    """``POST /act_<id>/adimages``: files under any name, or ``bytes``, which is Base64.

    Returns ``{"images": {"<file name>": {"hash": "…", "name": "…", "url": "…"}}}``. The content is
    not kept, and its URL leads nowhere.

    Raises GraphFault for what is no image; then none is made.
    """
    files = list(context.call.files.values()) or [_read_bytes(context)]
    for file in files:
        _check_type(file)
    images = {file.name: _keep(context, account, file) for file in files}
    return {"images": {name: _shown(image) for name, image in images.items()}}


def _read_bytes(context: Context) -> UploadedFile:
    text = context.parameters.get("bytes")
    if not isinstance(text, str) or not text:
        raise BadParameter("bytes", "The parameter bytes is required, or a file")
    try:
        # In a form, a plus sign that was not encoded has become a space.
        return UploadedFile("bytes", b64decode(text.replace(" ", "+"), validate=True))
    except (binascii.Error, ValueError) as error:
        raise BadParameter("bytes", "Param bytes must be Base64.") from error


def _check_type(file: UploadedFile) -> None:
    content = file.content
    is_webp = content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    if not is_webp and not content.startswith(_BEGINNINGS):
        message = "(#100) The file is no image: JPEG, PNG, GIF, BMP, TIFF and WebP are supported."
        raise GraphFault(message, 100, subcode=_WRONG_FILE_TYPE)


def _keep(context: Context, account: Account, file: UploadedFile) -> GraphObject:
    """Keep an image; the same content is the same image, whatever its name."""
    image_hash = hashlib.md5(file.content, usedforsecurity=False).hexdigest()
    image_id = f"{account.id}:{image_hash}"
    found = context.world.objects.find(image_id)
    if found is not None:
        found.is_deleted = False
        return found
    url = f"https://images.invalid/{image_hash}"
    fields = {"hash": image_hash, "name": file.name, "url": url, "status": "ACTIVE"}
    image = GraphObject(image_id, ObjectKind.IMAGE, account.id, fields, context.now, context.now)
    context.world.objects.add(image)
    return image


def _shown(image: GraphObject) -> Json:
    return {name: image.fields[name] for name in ("hash", "name", "url")}


def delete_image(context: Context, account: Account) -> Json:
    """``DELETE /act_<id>/adimages?hash=``. Raises GraphFault for an image that is not there."""
    image_hash = context.parameters.get("hash")
    if not isinstance(image_hash, str) or not image_hash:
        raise BadParameter("hash", "The parameter hash is required")
    image = context.world.objects.find(f"{account.id}:{image_hash}")
    if image is None or image.is_deleted:
        raise context.no_such_object(image_hash)
    image.is_deleted = True
    return {"success": True}


def list_images(context: Context, account: Account, edge_call: EdgeCall) -> Json:
    """``GET /act_<id>/adimages``, oldest first; ``hashes`` says which."""
    hashes = specs.read_words(edge_call.parameters, "hashes")
    return context.page(
        edge_call,
        context.world.objects.under(f"act_{account.id}", ObjectKind.IMAGE),
        kind=KINDS[ObjectKind.IMAGE],
        keep=lambda image: (
            not image.is_deleted and (hashes is None or image.fields["hash"] in hashes)
        ),
    )
