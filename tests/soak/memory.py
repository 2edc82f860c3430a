"""What a process has, watched over time: memory, threads, open files; and whether it grows."""

import pathlib
import time

# The first part of the time, in seconds, is for pools and caches to fill; half of a short one.
WARM_UP_S = 120.0
# What is no growth: in MB over the whole time, and between rest before and rest after.
NOISE_MB = 24.0
NOISE_AT_REST = {"threads": 8, "open files": 8}


class Watch:
    """Samples of a process of Linux."""

    def __init__(self, pid):
        self.folder = pathlib.Path(f"/proc/{pid}")
        self.samples = []
        self.before = self.after = self.measure()

    def measure(self):
        """What the process has now."""
        status = dict(line.split(":", 1) for line in (self.folder / "status").read_text().splitlines())
        memory, threads = (int(status[name].split()[0]) for name in ["VmRSS", "Threads"])
        files = len(list((self.folder / "fd").iterdir()))
        return {"memory (MB)": memory / 1024, "threads": threads, "open files": files}

    def look(self):
        """Takes a sample under load."""
        self.samples.append((time.monotonic(), self.measure()))

    def rest(self, seconds):
        """Waits until files and threads are those before the load, at most so long, and gives what is left."""
        end = time.monotonic() + seconds
        while (left := self.left(self.measure())) and time.monotonic() < end:
            time.sleep(0.2)
        self.after = self.measure()
        return left

    def left(self, now):
        grown = {name: now[name] - self.before[name] for name in NOISE_AT_REST}
        return [f"{name}: {value} more than before" for name, value in grown.items() if value > NOISE_AT_REST[name]]

    def warm(self):
        """The samples after the warm-up."""
        start, end = self.samples[0][0], self.samples[-1][0]
        begin = start + min(WARM_UP_S, (end - start) / 2)
        return [sample for sample in self.samples if sample[0] >= begin]

    def slope(self):
        """Growth of the memory in MB a second: the least-squares line through the samples."""
        moments = [moment for moment, _ in self.warm()]
        values = [sample["memory (MB)"] for _, sample in self.warm()]
        moment, value = sum(moments) / len(moments), sum(values) / len(values)
        spread = sum((x - moment) ** 2 for x in moments)
        return sum((x - moment) * (y - value) for x, y in zip(moments, values)) / spread if spread else 0.0

    def table(self):
        lines = ["| | before | after the warm-up | largest | at rest again |", "|---|---|---|---|---|"]
        for name in self.before:
            warm = [sample[name] for _, sample in self.warm()]
            values = [self.before[name], warm[0], max(warm), self.after[name]]
            lines.append(f"| {name} | " + " | ".join(f"{value:.0f}" for value in values) + " |")
        slope = f"Slope of the memory: {self.slope() * 3600:+.1f} MB an hour; at each tenth of the time: {self.tenths()} MB."
        return "\n".join([*lines, "", slope])

    def tenths(self):
        """The memory in the course of the time."""
        picked = [self.samples[(len(self.samples) - 1) * tenth // 10][1] for tenth in range(11)]
        return ", ".join(f"{sample['memory (MB)']:.0f}" for sample in picked)

    def growth(self):
        """What the memory grew by over the time watched, if it is more than noise."""
        moments = [moment for moment, _ in self.warm()]
        grown = self.slope() * (moments[-1] - moments[0])
        return [f"memory: {grown:+.1f} MB in {moments[-1] - moments[0]:.0f} s"] if grown > NOISE_MB else []
