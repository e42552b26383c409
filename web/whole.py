"""Reads the files of the version that answers, beside the chat: damage is not served for long."""

from __future__ import annotations

import logging
import os
import threading
from contextlib import suppress

from index.errors import TanyaError
from qa.chat import Chat

logger = logging.getLogger("tanya.web")

_LOOK_SECONDS = 10.0
"""What changed on the disk is read so often; what did not, a bit that fell over, once a day."""
_ALL_SECONDS = 86_400.0

_NICE = 15


def keep_whole(chat: Chat, stopped: threading.Event) -> None:
    """Verify each version that becomes live, and again as time goes by, until `stopped`."""
    # Linux gives each thread its own priority.
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
    verified, since = "", 0.0
    while True:
        try:
            name = chat.index().version.name
            every = name != verified or since >= _ALL_SECONDS
            if chat.verify(every=every):
                verified, since = name, 0.0 if every else since
            else:
                # Opens the one that answers instead, and tells of it.
                chat.index()
        except (TanyaError, OSError) as error:
            # Too many files may be open for a moment; it is looked again.
            logger.debug("nothing to verify: %s", error)
        if stopped.wait(_LOOK_SECONDS):
            return
        since += _LOOK_SECONDS
