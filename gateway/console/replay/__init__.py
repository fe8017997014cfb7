"""Running policies over a call that is over, or that was pasted: the same path as a live one, without its two ends.

The call goes through `run_call`, with an upstream that has only the recorded answer (upstream.py), a recorder that puts
nothing on record (rehearsal.py) and no judge but those that may be asked (judges.py).
"""

from .judges import Judges
from .material import Material, NotReplayable
from .pasted import pasted
from .recorded import recorded
from .results import Fate, Replayed, Step
from .run import replay

__all__ = ["Fate", "Judges", "Material", "NotReplayable", "Replayed", "Step", "pasted", "recorded", "replay"]
