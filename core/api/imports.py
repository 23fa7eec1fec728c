"""The rows of an import: results, references by code, upserts by natural key."""

from core.imports.batch import Batch
from core.imports.running import file_name, tried_at
from core.imports.source import read_upload
from core.imports.upsert import Upsert, codes

__all__ = ["Batch", "Upsert", "codes", "file_name", "read_upload", "tried_at"]
