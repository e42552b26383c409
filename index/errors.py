"""The error tree. Every message is one sentence for a person and says what to do next.

TanyaError
├── SettingsError        tanya.toml or an environment variable cannot be used
├── ArchiveError         the archive's database cannot be opened or written
├── DiskError            the disk is full, read-only or fails, or the system allows no more
├── ModelError           an embedding model cannot be loaded or does not fit the index
├── IndexMissingError    nothing was built yet
├── IndexDamagedError    a version on disk is incomplete or was altered
├── IndexUnreadableError a version cannot be read and is not damaged: a newer program or another
│                        engine made it, or the system refuses it
├── EngineError          the server of a search engine cannot be reached or fails
├── BusyError            another process is writing, or too much is asked at once
│   └── StoppingError    the server that was asked is being stopped
├── FetchError           a feed or page on the web cannot be fetched
├── GateError            a new version finds less than the live one
└── InputError           a file or a value given by the user cannot be used
    └── NotFoundError    what was asked for by its name is not there
"""


class TanyaError(Exception):
    """Base of every error that Tanya Arsip raises on purpose."""


class SettingsError(TanyaError):
    """Settings cannot be used."""


class ArchiveError(TanyaError):
    """The archive cannot be opened or written."""


class DiskError(TanyaError):
    """The disk is full, read-only or fails, or the system allows this process no more."""


class ModelError(TanyaError):
    """An embedding model cannot be loaded or does not fit the index."""


class IndexMissingError(TanyaError):
    """No version has been built."""


class IndexDamagedError(TanyaError):
    """A version on disk is incomplete or was altered."""


class IndexUnreadableError(TanyaError):
    """A version that is not damaged cannot be read: of a newer program, or not permitted."""


class EngineError(TanyaError):
    """The server of a search engine cannot be reached or fails."""


class BusyError(TanyaError):
    """Another process holds the writer's lock, or too much is asked at once.

    `retry` are the seconds after which to ask again, 0 where nobody knows.
    """

    def __init__(self, message: str, *, retry: int = 0) -> None:
        super().__init__(message)
        self.retry = retry


class StoppingError(BusyError):
    """The server that was asked is being stopped."""


class FetchError(TanyaError):
    """A feed or page cannot be fetched; the message has no full stop, for its address follows.

    A `lasting` one will be the same at the next try; `retry` are the seconds that the other side
    asks us to wait, None where it does not.
    """

    def __init__(self, message: str, *, lasting: bool = False, retry: float | None = None) -> None:
        super().__init__(message)
        self.lasting = lasting
        self.retry = retry


class GateError(TanyaError):
    """A new version was kept from going live, or a run found less than the one before it."""


class InputError(TanyaError):
    """A file or value given by the user cannot be used."""


class NotFoundError(InputError):
    """What was asked for by its name is not there."""
