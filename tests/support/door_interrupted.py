"""A sweep that is interrupted while it trains, and completed by the same process; see `test_door`.

Run as a script in an empty folder; whoever runs it sends the signal.
"""

import json
from pathlib import Path

from sweeps import Interrupted, run
from sweeps.l2 import SWEEP

try:
    run(SWEEP, num_samples=5, seeds=2, epochs=600, pack=1, max_concurrent=1, confirm=0)
except Interrupted as stopped:
    kinds = [kind.__name__ for kind in type(stopped).__mro__]
    text, code, run_id = str(stopped), stopped.exit_code, stopped.run_id
completed = run(SWEEP, resume=True)
facts = {
    "kinds": kinds,
    "text": text,
    "code": code,
    "run_id": run_id,
    "completed": completed.run_id,
}
Path("facts.json").write_text(json.dumps(facts))
