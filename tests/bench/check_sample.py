"""Usage: check_sample.py HEDDLE. bench/step takes a sample of its smallest workload by both doors, without peers."""
import json
import os
import subprocess
import sys
import tempfile
import xml.dom.minidom

step = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../bench/step")
with tempfile.TemporaryDirectory() as folder:
    found, picture = os.path.join(folder, "found.json"), os.path.join(folder, "picture.svg")
    done = subprocess.run([sys.executable, step, "makemore", "--peers", "none", "--rounds", "1", "--steps", "2", "--heddle",
                           sys.argv[1], "--json", found, "--picture", picture], stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0, f"exit {done.returncode}"
    with open(found) as file:
        told = json.load(file)
    xml.dom.minidom.parse(picture)

assert "| `makemore` | Heddle, JIT |" in done.stdout, done.stdout
assert [sample["by"] for sample in told["samples"]] == ["heddle-jit", "heddle-native"] and not told["failed"], told
result = told["workloads"]["makemore"]
assert result["best_peer"] is None, result
assert result["optimizer_bytes"] == 28 * 202816, "28 bytes a parameter (AdamW)"
for sample in told["samples"]:
    assert abs(sample["first_loss"] - 3.3) < 0.1, f"{sample}: the first loss is not some ln 27"
    row = result["rows"][sample["by"]]
    least = result["flops"] / (sample["roof_gflops"] * 1e6) + result["optimizer_bytes"] / (sample["roof_gb_s"] * 1e6)
    assert abs(row["limit_ms"] / least - 1) < 1e-9 and abs(row["of_limit"] - least / sample["step_ms"]) < 1e-9, row
    assert row["of_limit"] > 0 and row["first_step_s"] > 0, row
    assert sample["planned_mib"] <= row["peak_mib"] < 500, "what is planned is resident, and little else"
assert len({sample["first_loss"] for sample in told["samples"]}) == 1, "both doors compute the same"
