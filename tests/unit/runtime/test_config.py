"""Settings of the deployment: read once, refused when unsafe, each with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.runtime.config import Config, ConfigInvalid, create_secret, load_config


def load(folder: Path, **values: str) -> Config:
    return load_config({"TUKKU_DATA_DIR": str(folder), **values})


def test_defaults_stand_alone(tmp_path):
    config = load(tmp_path)
    assert config.database_url == f"sqlite:///{tmp_path / 'tukku.sqlite'}"
    assert config.trusted_hosts == ("localhost", "127.0.0.1", "[::1]")
    assert not config.https
    assert config.addon_paths == ()


def test_address_of_the_shop_is_trusted(tmp_path):
    config = load(tmp_path, TUKKU_URL="https://shop.example.com/")
    assert config.url == "https://shop.example.com"
    assert config.trusted_hosts[-1] == "shop.example.com"
    assert config.https


def test_secret_is_created_once_and_read(tmp_path):
    assert create_secret(tmp_path)
    assert not create_secret(tmp_path)
    assert len(load(tmp_path).require_secret()) >= 48


def test_file_gives_values_and_environment_wins(tmp_path):
    (tmp_path / "tukku.toml").write_text('TUKKU_PROXIES = 2\nTUKKU_SAFE_MODE = true\nTUKKU_URL = "https://a.example"\n')
    config = load(tmp_path, TUKKU_URL="https://b.example")
    assert (config.proxies, config.safe_mode, config.url) == (2, True, "https://b.example")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"TUKKU_URL": "shop.example.com"}, 'TUKKU_URL "shop.example.com" is not the address of the shop; write for example https://shop.example.com.'),
        ({"TUKKU_TRUSTED_HOSTS": "*"}, "TUKKU_TRUSTED_HOSTS must list the names of the shop; a wildcard protects nothing."),
        ({"TUKKU_STRICT_ADDONS": "maybe"}, 'TUKKU_STRICT_ADDONS "maybe" is neither on nor off; write 1 or 0.'),
        ({"TUKKU_PROXIES": "-1"}, 'TUKKU_PROXIES "-1" is not a whole number from 0 to 10.'),
        ({"TUKKU_CONFIG": "/no/such/file"}, "TUKKU_CONFIG names /no/such/file, and there is no such file."),
    ],
)  # fmt: skip
def test_wrong_value_has_its_sentence(tmp_path, values, message):
    with pytest.raises(ConfigInvalid) as caught:
        load(tmp_path, **values)
    assert caught.value.message == message


def test_file_with_other_keys_is_refused(tmp_path):
    (tmp_path / "tukku.toml").write_text("[database]\nurl = 1\n")
    with pytest.raises(ConfigInvalid, match=r"tukku\.toml: database is not a setting; write lines such as"):
        load(tmp_path)


def test_missing_and_short_secrets_are_refused(tmp_path):
    with pytest.raises(ConfigInvalid, match=r"There is no secret key for .* Run `tukku init` to create one"):
        load(tmp_path).require_secret()
    with pytest.raises(ConfigInvalid, match="The secret key has 5 characters and needs 32"):
        load(tmp_path, TUKKU_SECRET_KEY="short").require_secret()


def test_secret_that_others_can_read_is_refused(tmp_path):
    create_secret(tmp_path)
    (tmp_path / "secret_key").chmod(0o644)
    with pytest.raises(ConfigInvalid, match=r"can be read by other users of this machine\. Run `chmod 600"):
        load(tmp_path)
