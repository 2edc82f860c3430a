"""Reads the event files of a run with TensorBoard's own reader and compares them with metrics.jsonl.

Not a part of ./check, since nothing else needs TensorBoard:
    python -m pip install tensorboard==2.21.0
    python check_tensorboard.py RUN
"""

import json
import pathlib
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

run = pathlib.Path(sys.argv[1])
expected = {}
for line in map(json.loads, (run / "metrics.jsonl").read_text().splitlines()):
    step, split = line.pop("step"), line.pop("split")
    line.pop("seconds", None)
    for name, value in line.items():
        expected.setdefault(f"{split}/{name}", {})[step] = value

events = EventAccumulator(str(run))
events.Reload()
assert sorted(events.Tags()["scalars"]) == sorted(expected), (events.Tags(), sorted(expected))
started = json.loads((run / "run.json").read_text())["started_unix_s"]
for tag, values in expected.items():
    found = events.Scalars(tag)
    assert [event.step for event in found] == list(values), tag
    for event in found:
        assert abs(event.value - values[event.step]) <= 1e-6 * abs(values[event.step]), (tag, event)
        assert event.wall_time >= started
print(f"ok: {len(expected)} tags, {sum(map(len, expected.values()))} numbers")
