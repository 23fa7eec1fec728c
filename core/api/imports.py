"""The rows of an import: results, references by code, upserts by natural key, cells as people write them."""

from core.imports.batch import Batch
from core.imports.cells import CellError, Reading, number
from core.imports.upsert import Upsert, codes

__all__ = ["Batch", "CellError", "Reading", "Upsert", "codes", "number"]
