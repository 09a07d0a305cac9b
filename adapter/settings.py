"""The settings, each from an environment variable ``PERINATAL_<NAME>`` (or its documented short name)."""

from __future__ import annotations

from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


def _shipped(name: str) -> Path:
    """Data that ships beside the packages: inside the wheel, or in the repository when run from it."""
    inside = Path(__file__).parent / f"_{name}"
    return inside if inside.is_dir() else Path(__file__).parents[1] / name


SHIPPED_MAPPINGS = _shipped("mappings")


class Settings(BaseSettings):
    """``base``: canonical base of everything local. Paths: a site's own content. Limits are in bytes.

    ``reload_seconds``: how often a server looks for changed content; 0 is never.

    ``bars``: the file that says who sends BaRS messages, and to whom.

    ``server_``: how a FHIR server is read; the token is sent to it as a bearer token, and nowhere else.
    """

    model_config = SettingsConfigDict(env_prefix="PERINATAL_", extra="ignore")

    base: str = "https://perinatal-referrals.example/fhir"
    provider: str = ""
    rules_path: Path | None = Field(None, validation_alias=AliasChoices("PERINATAL_RULES_PATH", "RULES_PATH"))
    codes_path: Path | None = Field(None, validation_alias=AliasChoices("PERINATAL_CODES_PATH", "CODES_PATH"))
    mappings_path: Path = Field(
        default_factory=lambda: SHIPPED_MAPPINGS,
        validation_alias=AliasChoices("PERINATAL_MAPPINGS_PATH", "MAPPINGS_PATH"),
    )
    bars: Path | None = None
    reload_seconds: float = Field(2.0, ge=0)
    directory_path: Path | None = Field(
        None, validation_alias=AliasChoices("PERINATAL_DIRECTORY_PATH", "DIRECTORY_PATH")
    )
    max_file_bytes: int = 100 * 1024 * 1024
    max_body_bytes: int = 10 * 1024 * 1024
    server_token: SecretStr = SecretStr("")
    server_timeout_seconds: float = Field(30.0, gt=0)
    server_page_size: int = Field(200, gt=0)
    server_max_pages: int = Field(100, gt=0)
