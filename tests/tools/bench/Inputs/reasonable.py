"""Usage: reasonable.py FILE: does what `heddle bench --json` says fit together?"""
import json
import sys

found = json.load(open(sys.argv[1]))
kernels = found["kernels"]
assert found["steps"] == 3 and found["flops"] == 20316160 == sum(k["flops"] for k in kernels)
assert found["limit_ms"] > 0 and abs(found["of_limit"] - found["limit_ms"] / found["step_ms"]) < 1e-9
least = found["flops"] / found["roof_gflops"] / 1e6 + found["optimizer_bytes"] / found["roof_gb_s"] / 1e6
assert abs(found["limit_ms"] - least) < 1e-6 * least
assert all(k["ms"] >= 0 and k["calls"] >= 1 and k["where"].startswith("causal.heddle:") for k in kernels)
assert [k["ms"] for k in kernels] == sorted((k["ms"] for k in kernels), reverse=True)
# Medians of calls: on a disturbed machine their sum may be more than the median of steps.
assert sum(k["ms"] for k in kernels) < 3 * found["step_ms"]
print("the step is the time of its kernels and a little")
