"""Development: bytecode of a file that was just written is not kept.

Python takes kept bytecode for current when the source's size and its time, in whole seconds, are the same (PEP 552). A file that is
saved, imported and saved again within a second would be served in its old form for ever.
"""

import importlib.machinery
import importlib.util
import os
import time

# Whole seconds are compared; a second more for clocks of a shared folder.
_SETTLED_SECONDS = 2


def keep_no_fresh_bytecode():
    """For the imports of this process from now on."""
    loader = importlib.machinery.SourceFileLoader
    keep = loader.set_data

    def set_data(self, path, data, **options):
        if _is_settled(path):
            keep(self, path, data, **options)

    loader.set_data = set_data


def _is_settled(bytecode_path):
    try:
        source = importlib.util.source_from_cache(bytecode_path)
        return time.time() - os.stat(source).st_mtime >= _SETTLED_SECONDS
    except (OSError, ValueError):
        return False
