"""Secrets in rows, encrypted: who reads the database or its backups reads no key.

Fernet (AES-128-CBC with HMAC-SHA-256) of ``cryptography``. The first of the keys
encrypts, all of them decrypt, so a key can be replaced while the site runs.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.crypto import salted_hmac

from realtime_widget.conf import get_conf

SALT = "realtime_widget.sealing"


class Unreadable(ValueError):
    """A sealed text that none of the site's keys opens."""


def seal(text: str) -> str:
    """Return a text encrypted with the first key.

    Raises:
        ImproperlyConfigured: If ``FERNET_KEYS`` holds what is no key.
    """
    return _fernet().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """Return the text.

    Raises:
        Unreadable: If no key of the site opens it.
        ImproperlyConfigured: If ``FERNET_KEYS`` holds what is no key.
    """
    return _opened(_fernet().decrypt, sealed)


def sealed_anew(sealed: str) -> str:
    """Return the same text encrypted with the first key.

    Raises:
        Unreadable: If no key of the site opens it.
        ImproperlyConfigured: If ``FERNET_KEYS`` holds what is no key.
    """
    return _opened(_fernet().rotate, sealed)


def _opened(use: Callable[[bytes], bytes], sealed: str) -> str:
    try:
        return use(sealed.encode()).decode()
    except InvalidToken:
        raise Unreadable("no key of this site opens it") from None


def usable_fernet_key(key: str) -> bool:
    """Return whether a text is a Fernet key: 32 bytes in URL-safe base64."""
    try:
        Fernet(key)
    except (TypeError, ValueError):
        return False
    return True


def _fernet() -> MultiFernet:
    """Return the site's keys: its own first, then those made from ``SECRET_KEY``.

    The latter stay, so that a site may begin without keys of its own.
    """
    own = get_conf().FERNET_KEYS
    if not all(map(usable_fernet_key, own)):
        # The value is not shown: error pages and logs must not hold it.
        raise ImproperlyConfigured(
            'An entry of REALTIME_WIDGET["FERNET_KEYS"] is no Fernet key. Make one with'
            ' python -c "from cryptography.fernet import Fernet;'
            ' print(Fernet.generate_key().decode())".'
        )
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    derived = [
        urlsafe_b64encode(
            salted_hmac(SALT, "", secret=secret, algorithm="sha256").digest()
        )
        for secret in secrets
    ]
    return MultiFernet([*map(Fernet, own), *map(Fernet, derived)])
