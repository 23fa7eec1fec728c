"""Settings of the deployment: TUKKU_… in the environment, or the same names in a TOML file; refused when unsafe.

The file is `TUKKU_CONFIG`, by default `tukku.toml` in the data directory; the environment wins.
"""

from __future__ import annotations

import os
import secrets
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from core.registry.sources import addon_paths
from core.spec.errors import TukkuError

SECRET_FILE = "secret_key"  # noqa: S105  (a file's name)
SECRET_LENGTH = 32
TRUE, FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"", "0", "false", "no", "off"})
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class ConfigInvalid(TukkuError):
    """A setting of the deployment cannot be used; the message names it and says how to mend it."""

    def __init__(self, message: str) -> None:
        super().__init__("CONFIG", message)


@dataclass(frozen=True, slots=True)
class Config:
    """The deployment's settings. ``proxies`` is the number of trusted proxies in front of the server."""

    data_dir: Path
    database_url: str
    secret_key: str = ""
    addon_paths: tuple[Path, ...] = ()
    url: str = "http://127.0.0.1:8000"
    trusted_hosts: tuple[str, ...] = LOOPBACK
    proxies: int = 0
    max_upload_mb: int = 50
    strict_addons: bool = False
    safe_mode: bool = False
    testing: bool = False

    @property
    def https(self) -> bool:
        """Tell whether people reach the shop over TLS, so that cookies may insist on it."""
        return self.url.startswith("https://")

    def require_secret(self) -> str:
        """Return the secret key; `ConfigInvalid` when there is none or it is too short to protect anything."""
        if not self.secret_key:
            raise ConfigInvalid(f"There is no secret key for {self.data_dir}. Run `tukku init` to create one.")
        if len(self.secret_key) < SECRET_LENGTH:
            short = f"The secret key has {len(self.secret_key)} characters and needs {SECRET_LENGTH}"
            raise ConfigInvalid(f"{short}. Remove TUKKU_SECRET_KEY and run `tukku init` to create a good one.")
        return self.secret_key


def load_config(environ: Mapping[str, str] | None = None) -> Config:
    """Read the settings; `ConfigInvalid` names the first that cannot be used."""
    environment = dict(os.environ if environ is None else environ)
    data_dir = Path(environment.get("TUKKU_DATA_DIR") or "var").expanduser().resolve()
    values = _file(data_dir, environment) | {k: v for k, v in environment.items() if k.startswith("TUKKU_")}
    url = _url(values.get("TUKKU_URL", "http://127.0.0.1:8000"))
    host = urlsplit(url).hostname or ""
    hosts = _words(values.get("TUKKU_TRUSTED_HOSTS", "")) or tuple(dict.fromkeys((*LOOPBACK, host)))
    return Config(
        data_dir=data_dir,
        database_url=values.get("TUKKU_DATABASE_URL") or f"sqlite:///{data_dir / 'tukku.sqlite'}",
        secret_key=values.get("TUKKU_SECRET_KEY") or _read_secret(data_dir),
        addon_paths=addon_paths(values.get("TUKKU_ADDON_PATHS", "")),
        url=url,
        trusted_hosts=_hosts(hosts),
        proxies=_number(values, "TUKKU_PROXIES", 0, 10),
        max_upload_mb=_number(values, "TUKKU_MAX_UPLOAD_MB", 50, 2000),
        strict_addons=_flag(values, "TUKKU_STRICT_ADDONS"),
        safe_mode=_flag(values, "TUKKU_SAFE_MODE"),
    )


def create_secret(data_dir: Path) -> bool:
    """Write a new secret key that only this user can read, unless there is one; tell whether it was created."""
    path = data_dir / SECRET_FILE
    data_dir.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(48))
    return True


def _read_secret(data_dir: Path) -> str:
    path = data_dir / SECRET_FILE
    try:
        text = path.read_text().strip()
        mode = path.stat().st_mode
    except OSError:
        return ""
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigInvalid(f"{path} can be read by other users of this machine. Run `chmod 600 {path}`.")
    return text


def _file(data_dir: Path, environment: Mapping[str, str]) -> dict[str, str]:
    named = environment.get("TUKKU_CONFIG")
    path = Path(named) if named else data_dir / "tukku.toml"
    if not path.exists():
        if named:
            raise ConfigInvalid(f"TUKKU_CONFIG names {path}, and there is no such file.")
        return {}
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigInvalid(f"{path} is not TOML: {error}.") from error
    wrong = [k for k, v in values.items() if not k.startswith("TUKKU_") or isinstance(v, dict | list)]
    if wrong:
        raise ConfigInvalid(f'{path}: {wrong[0]} is not a setting; write lines such as TUKKU_URL = "https://…".')
    return {k: _plain(v) for k, v in values.items()}


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigInvalid(
            f'TUKKU_URL "{value}" is not the address of the shop; write for example https://shop.example.com.'
        )
    return value.rstrip("/")


def _hosts(hosts: tuple[str, ...]) -> tuple[str, ...]:
    for host in hosts:
        if host in {"*", "."}:
            raise ConfigInvalid("TUKKU_TRUSTED_HOSTS must list the names of the shop; a wildcard protects nothing.")
    return hosts


def _words(value: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in value.split(",") if word.strip())


def _flag(values: Mapping[str, str], name: str) -> bool:
    text = values.get(name, "").strip().lower()
    if text not in TRUE | FALSE:
        raise ConfigInvalid(f'{name} "{values[name]}" is neither on nor off; write 1 or 0.')
    return text in TRUE


def _number(values: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = values.get(name, "").strip()
    if not text:
        return default
    if not text.isdecimal() or int(text) > most:
        raise ConfigInvalid(f'{name} "{text}" is not a whole number from 0 to {most}.')
    return int(text)
