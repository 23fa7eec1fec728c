"""Backup and restore: one file with the database, the stored files and a manifest, verified before success is said.

SQLite is copied with its own backup interface; `cp` of a live database loses committed rows. PostgreSQL is dumped
table by table with COPY in one snapshot, so that no client tools of the server's version are needed: a restore
creates the tables by the migrations of the revisions noted in the manifest, and loads them. The secret key is not
in the file, only its fingerprint.
"""

from core.data.backup.archive import BackupFailed, Manifest, read_manifest
from core.data.backup.making import backup
from core.data.backup.restoring import restore

__all__ = ["BackupFailed", "Manifest", "backup", "read_manifest", "restore"]
