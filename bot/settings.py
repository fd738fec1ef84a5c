"""Every setting: its default, its unit, and whether it is secret. Read once at the start."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.core.clocks import Calendar
from bot.core.escalation import ESCALATING, Rules
from bot.errors import SettingsError

TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]+")


def _content_here() -> Path:
    """The folder one is in where it has content, else the one that this program stands in."""
    here = Path()
    return here if (here / "intents").is_dir() else Path(__file__).parents[1]


class Settings(BaseSettings):
    """The settings, from the environment or a file `.env`. Each has a heading in the docs."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True
    )

    # ---- channels
    bot_token: SecretStr | None = Field(None, description="Telegram token from @BotFather.")
    telegram_api_url: str = Field(
        "https://api.telegram.org", description="Base address of the Bot API."
    )
    telegram_webhook_url: str = Field(
        "", description="Public https address for Telegram's webhook; empty: polling."
    )
    web_host: str = Field("127.0.0.1", description="Address that the web chat listens on.")
    web_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8080, description="Port of the web chat; 0 takes a free one."
    )
    web_origin: str = Field(
        "", description="Public https address of the web chat, where it is behind a proxy."
    )

    # ---- store
    var_dir: Path = Field(
        default_factory=lambda: _content_here() / "var",
        description="Folder for the database, keys and spool; default var beside the content.",
    )
    database_url: str = Field(
        "", description="sqlite+aiosqlite:///... or postgresql+psycopg://...; empty: var/bot.db."
    )
    encryption_keys_file: Path | None = Field(
        None, description="File with the encryption keys; default var/keys."
    )
    store_timeout_s: Annotated[float, Field(gt=0, le=30)] = Field(
        0.5, description="Seconds that a reply waits for the store before it goes out without it."
    )
    replica: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")] = Field(
        "one",
        description="Name of this process among those that share a database: the same at every "
        "start, no two alike, of small letters, digits and hyphens.",
    )
    durable_work: bool = Field(
        True, description="Whether each message is kept durably before Telegram is told; for tests."
    )
    work_poll_s: Annotated[float, Field(ge=0.01, le=5)] = Field(
        0.1, description="Seconds between two looks for kept messages that nobody answers yet."
    )
    retention_text_days: Annotated[int, Field(ge=1, le=365)] = Field(
        30, description="Days after which the words of an escalated message are deleted."
    )
    retention_skeleton_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        365, description="Days after which the rest of an escalation is deleted."
    )

    # ---- staff
    staff_chat_id: int | None = Field(
        None, description="Telegram chat of the staff, for alerts; with topics, one topic a case."
    )
    alert_urls: SecretStr = Field(
        SecretStr(""), description="Apprise addresses for alerts, with spaces between."
    )
    staffed_hours: str = Field(
        "",
        description="When somebody is on duty: 'mon-fri 09:00-17:00; sat 10:00-14:00', 'always', "
        "or empty for never.",
    )
    staffed_zone: str = Field("UTC", description="Time zone of these hours: Europe/London.")
    staffed_closed: str = Field(
        "", description="Days on which nobody is on duty all the same: '2026-12-25 2027-01-01'."
    )
    acknowledge_minutes: str = Field(
        "5 15 240",
        description="Staffed minutes to acknowledge emergency, suicide crisis and urgent cases.",
    )
    review_days: str = Field("1 1 3", description="Staffed days to review each of the three.")
    review_readers: str = Field("2 2 1", description="How many must read each of the three.")
    first_response_minutes: Annotated[int, Field(ge=1, le=10_000)] = Field(
        60, description="Staffed minutes to a first message of staff, where STAFF_REPLIES is on."
    )
    staff_replies: Literal["off", "templates", "free"] = Field(
        "off",
        description="Whether staff may write to people: off, templates (approved texts alone) or "
        "free.",
    )
    sample_rate: Annotated[float, Field(ge=0, le=1)] = Field(
        0.0,
        description="Share of ordinary messages (0 to 1) kept at random for staff to look for "
        "misses; /privacy tells it.",
    )
    sample_near_rate: Annotated[float, Field(ge=0, le=1)] = Field(
        0.0, description="The same for messages that the bot was unsure about."
    )

    # ---- signing in through an identity provider
    oidc_issuer: str = Field(
        "", description="Address of the identity provider (OpenID Connect); empty: passwords only."
    )
    oidc_client_id: str = Field("", description="Name of this site at the provider.")
    oidc_client_secret: SecretStr = Field(
        SecretStr(""), description="Secret of this site at the provider."
    )

    # ---- content and understanding
    content_dir: Path = Field(
        default_factory=_content_here, description="Folder that holds intents/ and responses/."
    )
    embeddings: str = Field(
        "minilm",
        description="minilm, off, or the path of a folder with model.onnx and tokenizer.json.",
    )
    trained_dir: Path | None = Field(
        None, description="Folder for what training made of the examples; default var/trained."
    )

    # ---- logs and figures
    metrics_token: SecretStr = Field(
        SecretStr(""),
        description="What a reader of /metrics brings; empty: this machine, if no WEB_ORIGIN.",
    )
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")

    @field_validator("bot_token")
    @classmethod
    def _shaped_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value and value.get_secret_value() and not TOKEN.fullmatch(value.get_secret_value()):
            raise ValueError("a token looks like 123456789:AAH...; copy all of it from @BotFather")
        return value

    @field_validator("content_dir")
    @classmethod
    def _has_content(cls, value: Path) -> Path:
        lacking = [name for name in ("intents", "responses") if not (value / name).is_dir()]
        if lacking:
            raise ValueError(f"there is no folder {' and no folder '.join(lacking)} in it")
        return value

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise ValueError("write DEBUG, INFO, WARNING or ERROR")
        return value.upper()

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        known = ("sqlite+aiosqlite://", "postgresql+psycopg://", "postgresql://", "sqlite://")
        if value and not value.startswith(known):
            raise ValueError(
                "write sqlite+aiosqlite:///path/bot.db or "
                "postgresql+psycopg://user:password@host/name"
            )
        for short, full in (
            ("sqlite:", "sqlite+aiosqlite:"),
            ("postgresql:", "postgresql+psycopg:"),
        ):
            if value.startswith(short):
                return full + value.removeprefix(short)
        return value

    @field_validator("staffed_hours")
    @classmethod
    def _known_hours(cls, value: str) -> str:
        Calendar.parse(value)
        return value

    @field_validator("staffed_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("write a zone like Europe/London") from None
        return value

    @field_validator("staffed_closed")
    @classmethod
    def _known_days(cls, value: str) -> str:
        _days(value)
        return value

    @field_validator("acknowledge_minutes", "review_days", "review_readers")
    @classmethod
    def _one_for_each_level(cls, value: str) -> str:
        _numbers(value)
        return value

    @property
    def rules(self) -> Rules:
        """The clocks of cases, in the staffed hours, and how many read each."""
        closed = _days(self.staffed_closed)
        minutes, days, readers = (
            dict(zip(ESCALATING, _numbers(each), strict=True))
            for each in (self.acknowledge_minutes, self.review_days, self.review_readers)
        )
        answers = timedelta(minutes=self.first_response_minutes)
        return Rules(
            acknowledge_within={level: timedelta(minutes=each) for level, each in minutes.items()},
            review_within_days=days,
            readers=readers,
            first_response=None if self.staff_replies == "off" else answers,
            calendar=Calendar.parse(self.staffed_hours, ZoneInfo(self.staffed_zone), closed),
        )

    @model_validator(mode="after")
    def _whole_provider(self) -> Self:
        given = (self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret.get_secret_value())
        if any(given) and not all(given):
            raise ValueError(
                "OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET belong together: set all "
                "three or none"
            )
        return self

    @field_validator("telegram_webhook_url", "web_origin", "oidc_issuer")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if value and not value.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise ValueError("write an https:// address")
        return value.rstrip("/")

    @property
    def database(self) -> str:
        """The database address in force."""
        return self.database_url or f"sqlite+aiosqlite:///{self.var_dir / 'bot.db'}"

    @property
    def work_database(self) -> str:
        """Where durable work is kept: beside a SQLite file, so that neither locks the other."""
        if not self.database.startswith("sqlite"):
            return self.database
        return f"{self.database.removesuffix('.db')}-work.db"

    @property
    def keys_file(self) -> Path:
        """The key file in force."""
        return self.encryption_keys_file or self.var_dir / "keys"

    @property
    def trained(self) -> Path:
        """The folder of trained readers in force."""
        return self.trained_dir or self.var_dir / "trained"


def read_settings() -> Settings:
    """The settings. Raises SettingsError with every fault at once."""
    try:
        return Settings()  # pyright: ignore[reportCallIssue]
    except ValidationError as error:
        raise SettingsError("\n".join(_fault(fault) for fault in error.errors())) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise SettingsError(f".env cannot be read: {reason}. Mend the file.") from None


def _numbers(value: str) -> tuple[int, ...]:
    """One whole number for each level that escalates, the worst first. Raises ValueError."""
    parts = value.replace(",", " ").split()
    if len(parts) != len(ESCALATING) or not all(each.isdecimal() for each in parts):
        raise ValueError("write three whole numbers, such as '5 15 240'")
    numbers = tuple(int(each) for each in parts)
    if not all(0 < each <= 10_000 for each in numbers):
        raise ValueError("each of the three is from 1 to 10000")
    return numbers


def _days(value: str) -> frozenset[date]:
    """The days that `value` names. Raises ValueError."""
    try:
        return frozenset(date.fromisoformat(each) for each in value.replace(",", " ").split())
    except ValueError:
        raise ValueError("write days as 2026-12-25, with spaces between") from None


def _fault(fault: object) -> str:
    assert isinstance(fault, dict)
    said = str(fault["msg"]).removeprefix("Value error, ")
    if not fault["loc"]:  # several settings that do not fit together
        return f"{said}. Mend it in the environment or in .env."
    name = str(fault["loc"][0]).upper()
    field = Settings.model_fields.get(name.lower())
    meaning = f" ({field.description})" if field else ""
    found = "a secret value" if _is_secret(name.lower()) else _shown(fault.get("input"))
    return f"{name} is {found}: {said}.{meaning} Mend it in the environment or in .env."


def _is_secret(name: str) -> bool:
    """Whether a setting is a secret, or may hold one: an address with a password."""
    field = Settings.model_fields.get(name)
    return name == "database_url" or (field is not None and "SecretStr" in str(field.annotation))


def _shown(value: Any) -> str:
    return repr(str(value)) if isinstance(value, Path) else repr(value)
