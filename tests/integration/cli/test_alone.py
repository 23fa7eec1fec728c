"""Commands in a process of their own, which has loaded no more than they ask for."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.database("sqlite")
def test_backup_and_restore_need_no_model_of_a_domain(tmp_path):
    def tukku(place, *words):
        environment = {**os.environ, "TUKKU_DATA_DIR": str(tmp_path / place), "TUKKU_DATABASE_URL": ""}
        command = [sys.executable, "-m", "core.cli.main", *words]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    tukku("shop", "init", "--seller", "Ruuvi Oy", "--country", "FI")
    assert "is a whole backup" in tukku("shop", "backup", str(tmp_path / "monday.tar.gz"))
    assert "Restored" in tukku("other", "restore", str(tmp_path / "monday.tar.gz"))
