"""The settings of the MLLP listener, each from an environment variable ``PERINATAL_MLLP_<NAME>``."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict


class MllpSettings(BaseSettings):
    """Times are in seconds, sizes in bytes. ``journal`` and ``outbox`` hold records of patients.

    ``processing_ids``: the values of MSH-11 that are taken, with commas (P production, T training, D debugging).
    ``idle_seconds``: how long a connection may be silent between messages. ``message_seconds``: how long one message
    may take to arrive. ``write_seconds``: how long a client may take to read an answer. ``grace_seconds``: how long a
    message in work may take once the listener is told to stop.
    """

    model_config = SettingsConfigDict(env_prefix="PERINATAL_MLLP_", extra="ignore", populate_by_name=True)

    journal: Path = Field(Path("var/journal.sqlite3"), validation_alias="PERINATAL_JOURNAL")
    outbox: Path = Field(Path("var/outbox"), validation_alias="PERINATAL_OUTBOX")
    processing_ids: str = "P"
    max_message_bytes: PositiveInt = 10 * 1024 * 1024
    max_connections: PositiveInt = 100
    idle_seconds: float = Field(3600.0, ge=0)
    message_seconds: float = Field(60.0, ge=0)
    write_seconds: float = Field(30.0, ge=0)
    grace_seconds: float = Field(30.0, ge=0)

    @property
    def taken_processing_ids(self) -> frozenset[str]:
        return frozenset(part.strip() for part in self.processing_ids.split(",") if part.strip())
