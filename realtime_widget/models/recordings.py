"""Recorded sound of conversations whose visitors agreed to it."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.files import File
from django.core.files.storage import Storage, storages
from django.db import models, transaction
from django.db.models.signals import post_delete
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from realtime_widget.conf import get_conf
from realtime_widget.models.records import Conversation

FOLDER = "realtime_widget/recordings"


def recording_storage() -> Storage:
    """Return where recordings are kept: ``STORAGES[RECORDING_STORAGE]``."""
    return storages[get_conf().RECORDING_STORAGE]


def recording_name() -> str:
    """Return a name that tells nothing and that nobody can guess."""
    return f"{FOLDER}/{uuid.uuid4().hex}.wav"


class Recording(models.Model):
    """The sound of one conversation: the visitor on the left, the agent on the right."""

    conversation = models.OneToOneField(
        Conversation,
        on_delete=models.CASCADE,
        related_name="recording",
        verbose_name=_("conversation"),
    )
    # A name and no FileField: that would ask for its storage once, at the import.
    file_name = models.CharField(_("file"), max_length=200)
    duration_s = models.FloatField(_("duration (seconds)"), default=0.0)
    created_at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        verbose_name = _("recording")
        verbose_name_plural = _("recordings")
        ordering = ["-created_at"]
        permissions = [("listen_recording", _("Can listen to what was said"))]

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M}"

    def open(self) -> File[bytes]:
        """Return the file, opened for reading.

        Raises:
            OSError: If it is gone.
        """
        return recording_storage().open(self.file_name)


def delete_file(instance: Recording, **_: Any) -> None:
    """Delete the file with its row, once that is certain."""
    name = instance.file_name
    transaction.on_commit(lambda: recording_storage().delete(name))


post_delete.connect(
    delete_file, sender=Recording, dispatch_uid="realtime_widget.recordings"
)
