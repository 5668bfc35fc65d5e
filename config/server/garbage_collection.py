"""Garbage in cycles, for a process that has imported all that it needs."""

import gc

# New objects before garbage in cycles is looked for (Python: 700). A request leaves a hundred or two in cycles, so that
# this is every fiftieth one, and a few megabytes.
OBJECTS_A_COLLECTION = 10_000


def leave_out_what_is_there() -> None:
    """Look for garbage among what is made from here on, and less often: in what was imported it took a tenth of each
    request."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_A_COLLECTION, *gc.get_threshold()[1:])
