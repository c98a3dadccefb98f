"""What a field of a row may hold: addresses, names, keys.

Each validator refuses with a sentence that says what to type instead. Looks have
validators of their own in ``styles`` and ``markup``, JSON Schemas in ``schemas``.
"""

from __future__ import annotations

import os
import re
from pathlib import PurePath
from typing import Any, Final, Literal
from urllib.parse import SplitResult

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from PIL import Image, UnidentifiedImageError

from realtime_widget.conf import get_conf
from realtime_widget.models.addresses import (
    is_listed,
    is_origin,
    is_public_host,
    read_address,
)

KEY_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
FUNCTION_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
VARIABLE_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
# Beginnings of the keys that providers hand out, and long runs of random characters.
KEY_VALUE: Final = re.compile(
    r"^(sk|pk|rk|ek|sess|gsk|xai|key)[-_]|^Bearer\s|^(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9+/=.-]{32,}$",
    re.IGNORECASE,
)
UPSTREAM_SCHEMES: Final = ("wss", "https", "ws", "http")
MESSAGE_ROLES: Final = ("user", "assistant", "system")
MAX_VARIABLES: Final = 20
MAX_AVATAR_BYTES: Final = 2 * 1024 * 1024
MAX_AVATAR_PIXELS: Final = 4096
AVATAR_FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF")


def validate_function_name(value: str) -> None:
    """Refuse a name the model could not call."""
    if not FUNCTION_NAME.fullmatch(value):
        raise ValidationError(
            _(
                "Use 1 to 64 letters, digits, underscores or hyphens, for example “order_status”."
            ),
            code="function_name",
        )


def validate_origins(value: Any) -> None:
    """Refuse anything but a list of exact origins."""
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise ValidationError(
            _('Enter a list of origins, for example ["https://shop.example.org"].'),
            code="origins",
        )
    for origin in value:
        if not is_origin(origin):
            raise ValidationError(
                _(
                    "“%(origin)s” is not an origin. Write scheme, host and port only, in lower"
                    " case and without a path or a star: https://shop.example.org or"
                    " https://shop.example.org:8443."
                ),
                code="origin",
                params={"origin": origin},
            )


def validate_base_url(value: str) -> None:
    """Refuse an address that a server of the site must not be sent to."""
    parts = read_address(
        value,
        extra=_(
            "Leave out user names, keys, “?” and “#”: the key is named in its own field."
        ),
        schemes=UPSTREAM_SCHEMES,
        scheme=_(
            "Write the full address, beginning with wss://, https://, ws:// or http://."
        ),
    )
    host = parts.hostname or ""
    if is_listed_host(host, parts.port):
        return
    if not is_public_host(host):
        raise ValidationError(
            _(
                "“%(host)s” is not a public host. If the model really runs there, add it to"
                ' REALTIME_WIDGET["UPSTREAM_HOSTS"] in the site\'s settings.'
            ),
            code="url_host",
            params={"host": _host_and_port(parts)},
        )
    if parts.scheme in ("ws", "http"):
        raise ValidationError(
            _(
                "Use wss:// or https://, so that the key and the voices travel encrypted."
            ),
            code="url_plain",
        )


def is_listed_host(host: str, port: int | None) -> bool:
    """Return whether the site's settings name this host of a model."""
    return is_listed(host, port, get_conf().UPSTREAM_HOSTS)


def _host_and_port(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


def looks_like_a_key(value: str) -> bool:
    """Return whether someone typed the key itself instead of its name."""
    return bool(KEY_VALUE.search(value))


def validate_key_name(value: str) -> None:
    """Refuse a key itself, and a name the site's settings do not list.

    Only listed names are read: else whoever edits providers could have any secret
    of the process sent to a server of their choice.
    """
    if looks_like_a_key(value):
        # The value is not repeated: error pages and logs must not hold it.
        raise ValidationError(
            _(
                "This looks like a key itself. Put the key into the environment of the server"
                " and write the name of that variable here, for example OPENAI_API_KEY."
            ),
            code="key_value",
        )
    if not KEY_NAME.fullmatch(value) or value not in get_conf().KEY_NAMES:
        raise ValidationError(
            _(
                "Keys are read only from names that the site's settings list:"
                ' %(names)s. Add this name to REALTIME_WIDGET["KEY_NAMES"] to use it.'
            ),
            code="key_name",
            params={"names": ", ".join(get_conf().KEY_NAMES)},
        )


def find_key(name: str) -> tuple[str, Literal["", "environment", "settings"]]:
    """Look a key up by its name.

    Args:
        name: Name of an environment variable or of a setting.

    Returns:
        The key and where it was found, ``environment`` or ``settings``; two empty
        strings when it is not set, or when the settings do not list the name.
    """
    if name not in get_conf().KEY_NAMES:
        return "", ""
    if os.environ.get(name):
        return os.environ[name], "environment"
    value = getattr(settings, name, "")
    return (str(value), "settings") if value else ("", "")


def validate_message_roles(value: Any) -> None:
    """Refuse anything but a list of roles that a page may speak in."""
    if not isinstance(value, list) or not set(map(str, value)) <= set(MESSAGE_ROLES):
        raise ValidationError(
            _("Enter a list of these roles: “user”, “assistant”, “system”."),
            code="message_roles",
        )


def validate_variables(value: Any) -> None:
    """Refuse anything but a short list of names."""
    if not isinstance(value, list) or len(value) > MAX_VARIABLES:
        raise ValidationError(
            _(
                'Enter a list of at most %(limit)s names, for example ["order", "page"].'
            ),
            code="variables",
            params={"limit": MAX_VARIABLES},
        )
    for name in value:
        if not isinstance(name, str) or not VARIABLE_NAME.fullmatch(name):
            raise ValidationError(
                _("“%(name)s” is not a name: use letters, digits and underscores."),
                code="variable_name",
                params={"name": str(name)[:60]},
            )


def validate_avatar(image: Any) -> None:
    """Refuse a picture that is no small raster image, whatever it is called."""
    if image.size > MAX_AVATAR_BYTES:
        raise ValidationError(_("The picture is larger than 2 MB."), code="image_size")
    image.open()
    try:
        with Image.open(image) as opened:
            picture_format, dimensions = opened.format, opened.size
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
        picture_format, dimensions = None, (0, 0)
    if picture_format not in AVATAR_FORMATS:
        raise ValidationError(
            _("Upload a PNG, JPEG, WebP or GIF picture, not “%(name)s”."),
            code="image_format",
            params={"name": PurePath(image.name).name},
        )
    if max(dimensions) > MAX_AVATAR_PIXELS:
        raise ValidationError(
            _("The picture is wider or higher than 4096 pixels."), code="image_pixels"
        )
    image.seek(0)
