"""What a benchmark says of the machine that it ran on."""
import os
import re


def machine(threads):
    """CPU, cores that this process may use, threads used, and the best target class."""
    with open("/proc/cpuinfo") as f:
        info = dict(re.findall(r"^(model name|flags)\s*: (.*)$", f.read(), re.M))
    flags = info.get("flags", "").split()
    return {"cpu": info.get("model name", "unknown CPU"), "cores": len(os.sched_getaffinity(0)), "threads": threads,
            "class": "avx512" if "avx512f" in flags else "avx2" if {"avx2", "fma"} <= {*flags} else "baseline"}
