"""Opens the engine that the settings name."""

from __future__ import annotations

from pathlib import Path

from index.engines.contract import Engine
from index.errors import SettingsError
from index.settings import EngineSettings

_FILE = "milvus+file:"
_SERVERS = ("milvus+http://", "milvus+https://")


def open_engine(settings: EngineSettings, home: Path) -> Engine:
    """Return the engine at the settings' location; raises SettingsError for any other text.

    Nothing is connected to yet.
    """
    location = settings.location
    if location == "local":
        from index.engines.local import LocalEngine

        return LocalEngine()
    if not location.startswith((*_SERVERS, _FILE)):
        raise _unknown(location)
    from index.engines.milvus import MilvusEngine

    if location.startswith(_SERVERS) and location.partition("://")[2].strip("/"):
        return MilvusEngine(location.removeprefix("milvus+"), settings.dense_index)
    if location.startswith(_FILE) and location.endswith(".db"):
        path = home / location.removeprefix(_FILE)
        return MilvusEngine(str(path.absolute()), settings.dense_index)
    raise _unknown(location)


def _unknown(location: str) -> SettingsError:
    return SettingsError(
        f"`location` under [engine] in tanya.toml is {location!r}; it must be 'local', "
        "'milvus+http://HOST:PORT', 'milvus+https://HOST:PORT' or 'milvus+file:NAME.db'."
    )
