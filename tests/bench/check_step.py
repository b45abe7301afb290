"""The arithmetic of bench/step and bench/counts, on samples whose medians, ratios and limits are known."""
import importlib.machinery
import importlib.util
import os
import sys
import xml.dom.minidom

bench = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../bench")
sys.path.insert(0, bench)
from step_picture import PANEL, draw
from step_summary import differing, limit_ms, summarise, table


def script(name):
    loader = importlib.machinery.SourceFileLoader(name, os.path.join(bench, name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


def sample(step_ms, gflops=100.0, gb_s=10.0, first_loss=3.0, **more):
    return {"step_ms": step_ms, "roof_gflops": gflops, "roof_gb_s": gb_s, "first_loss": first_loss, "peak_mib": 100} | more


def heddle(step_ms, **more):  # 0.3 GFLOP and 20 MB: 3 ms and 2 ms at 100 GFLOP/s and 10 GB/s
    return sample(step_ms, flops=3e8, optimizer_bytes=2e7, first_step_s=1.0, **more)


def rounds():
    """Three; the machine is half as fast in the second, and the compiled peer is told to begin by the first alone."""
    return [
        {"heddle-jit": heddle(10),
         "torch-eager": sample(20, first_step_s=4.0), "torch-compile": sample(16, first_step_s=60.0)},
        {"heddle-jit": heddle(20, gflops=50.0, gb_s=5.0, peak_mib=120),
         "torch-eager": sample(44, 50.0, 5.0, first_step_s=9.0), "torch-compile": sample(32, 50.0, 5.0)},
        {"heddle-jit": heddle(12), "torch-eager": sample(21, first_step_s=5.0), "torch-compile": sample(20)},
    ]


def equal(what, found, expected):
    if isinstance(expected, float):
        assert abs(found - expected) < 1e-12, f"{what}: {found}, not {expected}"
    else:
        assert found == expected, f"{what}: {found}, not {expected}"


result = summarise(rounds())
equal("limit", limit_ms(3e8, 2e7, sample(1)), 5.0)
equal("best peer", result["best_peer"], "torch-compile")
jit = result["rows"]["heddle-jit"]
equal("step", jit["step_ms"], 12)
equal("ratio within rounds", jit["to_best_peer"], 0.625)           # of 10/16, 20/32, 12/20
equal("fraction of each round's limit", jit["of_limit"], 0.5)       # of 5/10, 10/20, 5/12
equal("peak", jit["peak_mib"], 120)
equal("a peer's fraction", result["rows"]["torch-eager"]["of_limit"], 5 / 21)  # of 5/20, 10/44, 5/21
equal("first step", result["rows"]["torch-eager"]["first_step_s"], 5.0)
equal("first step, compiled once", result["rows"]["torch-compile"]["first_step_s"], 60.0)
equal("the best peer's ratio", result["rows"]["torch-compile"]["to_best_peer"], 1.0)

lacking = rounds()
del lacking[2]["torch-compile"]
equal("who failed in a round is left out", list(summarise(lacking)["rows"]), ["heddle-jit", "torch-eager"])
equal("best of those left", summarise(lacking)["best_peer"], "torch-eager")

alone = summarise([{"heddle-jit": heddle(10)}])
equal("no peer", alone["best_peer"], None)
equal("no ratio", alone["rows"]["heddle-jit"]["to_best_peer"], None)

other = rounds()
other[1]["torch-eager"]["first_loss"] = 3.2
equal("another loss", differing(other), ["torch-eager"])
equal("the same loss", differing(rounds()), [])

equal("row", table({"tiny": result}).splitlines()[2], "| `tiny` | Heddle, JIT | 12.0 | 0.62 | 50% | 1.00 | 120 | 10 |")
equal("row without peers", table({"tiny": alone}).splitlines()[2], "| `tiny` | Heddle, JIT | 10.0 |  | 50% | 1.00 | 100 | 10 |")
for results, bars in ({"tiny": result, "other": result}, 12), ({"tiny": alone}, 1):
    picture = xml.dom.minidom.parseString(draw(results))
    widths = [float(rect.getAttribute("width")) for rect in picture.getElementsByTagName("rect")]
    legend = len(results["tiny"]["rows"])
    equal("bars", len(widths), legend + bars)
    equal("the longest bar of a ratio" if bars > 1 else "half of the limit", max(widths), PANEL * (1.0 if bars > 1 else 0.5))

counts = script("counts")
old = {"a": [4, 1000, 4000], "b": [1, 0, 1000]}
equal("nothing new", counts.check("tiny", old, old), ([], False))
equal("within 0.5 %", counts.check("tiny", old, {"a": [4, 1004, 4004], "b": [1, 0, 1000]}), ([], False))
lines, failed = counts.check("tiny", old, {"a": [4, 1000, 4000], "b": [1, 0, 1000], "c": [2, 0, 300]})
equal("more fails", failed, True)
equal("totals named", lines[0], "tiny: bytes 5,000 -> 5,300, calls 5 -> 7, kernels 2 -> 3")
equal("kernel named", lines[1:], ["  c (new): +2 calls, +300 bytes"])
lines, failed = counts.check("tiny", old, {"a": [4, 1000, 4000]})
equal("less passes", (failed, len(lines)), (False, 1))
assert "--update" in lines[0], lines
