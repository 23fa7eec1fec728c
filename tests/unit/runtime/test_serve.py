"""What a serving process does before its first request."""

import gc

from core.runtime.serve import settle


def test_what_was_built_stays_out_of_later_collections():
    built = [object() for _one in range(10)]
    try:
        settle()
        assert gc.get_freeze_count() > 10_000  # the modules, at least
        assert all(one is not built for one in gc.get_objects())
    finally:
        gc.unfreeze()
