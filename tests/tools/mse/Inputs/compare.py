"""Compares what two runs evaluated, and `mse` with the formulas beside it. Usage: compare.py RUN RUN."""
import json
import sys


def evaluated(run):
    lines = [json.loads(line) for line in open(f"{run}/metrics.jsonl")]
    return next(line["eval"] for line in lines if "eval" in line)


one, other = map(evaluated, sys.argv[1:3])


def near(a, b):
    assert abs(a - b) <= 1e-5 * abs(b), (one, other)


for name in one:
    near(one[name], other[name])
near(one["all"], one["formula"])
near(one["some"], one["counted"])
assert one["none"] == 0 and one["all"] > 0 and one["some"] != one["all"]
print(f"{len(one)} losses agree")
