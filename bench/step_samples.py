"""Samples of bench/step: one training step as Heddle and its peers take it, and what the machine can do beside it."""
import array
import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(root, "bench/peers"), os.path.join(root, "tests/reference")]
import tensorfile
from workloads import WORKLOADS

HEDDLE = ["heddle-jit", "heddle-native"]
ADAMW_BYTES = 28  # a parameter: weight and both moments read and written, the gradient read; workloads freeze none
PEERS = {  # name: the module that it needs, the script with its options
    "torch-eager": ("torch", ["torch_step.py"]),
    "torch-compile": ("torch", ["torch_step.py", "--compile"]),
    "jax": ("jax", ["jax_step.py"]),
}


class Failed(Exception):
    pass


def output(command, environment={}):
    """The standard output of a command, which leaves no process behind. Raises Failed, with its messages."""
    with tempfile.TemporaryFile("w+") as found, tempfile.TemporaryFile("w+") as messages:
        child = subprocess.Popen(command, stdout=found, stderr=messages, env=os.environ | environment,
                                 start_new_session=True)
        try:
            child.wait()
        finally:
            try:  # torch.compile's workers end some time after it, and would disturb the next sample
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for file in found, messages:
            file.seek(0)
        if child.returncode:
            raise Failed(f"{' '.join(command)}: exit {child.returncode}\n{messages.read()}")
        return found.read()


def train(command, steps):
    """Trains from nothing: no cache, an empty run directory. Returns seconds from the start of the process to the end of
    the first step, peak resident MiB, and the lines of metrics.jsonl."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as messages:
        out, seconds, peak = os.path.join(folder, "out"), None, 0
        metrics = os.path.join(out, "metrics.jsonl")
        command = [*command, "--steps", str(steps), "--out", out]
        environment = os.environ | {"HEDDLE_CACHE": os.path.join(folder, "cache")}
        began = time.perf_counter()
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=messages, env=environment)
        while child.poll() is None:
            if seconds is None and os.path.exists(metrics) and os.path.getsize(metrics):
                seconds = time.perf_counter() - began
            # Of wait4 the peak would be this process's own, if that is higher: a child starts with it.
            with open(f"/proc/{child.pid}/status") as status:
                peak = next((int(line.split()[1]) >> 10 for line in status if line.startswith("VmHWM")), peak)
            time.sleep(0.001)
        if child.returncode:
            messages.seek(0)
            raise Failed(f"{' '.join(command)}: exit {child.returncode}\n{messages.read()}")
        with open(metrics) as lines:
            return seconds or time.perf_counter() - began, peak, [json.loads(line) for line in lines]


def missing(peer):
    """Why a peer cannot run in this Python; None if it can."""
    module = PEERS[peer][0]
    return None if importlib.util.find_spec(module) else f"{sys.executable} has no module {module}"


def first_loss(metrics):
    return round(sum(metrics[0]["loss"].values()), 4)


def program(name):
    """Heddle's side of a workload: the file, and the options that give it its sizes."""
    w = WORKLOADS[name]
    sizes = [option for dim in "BTVLHD" for option in ("--set", f"{dim}={w[dim]}")]
    return [os.path.join(root, f"bench/workloads/{w['kind']}.heddle"), *sizes, "--set", f"P={w['T']}"]


def batches(name, count):
    """Random batches of a workload in the order of steps, as tensors of Heddle's entries."""
    w, draw = WORKLOADS[name], random.Random(0)
    rows = w["B"] * count
    ids = lambda high, *shape: tensorfile.Tensor((rows, *shape), array.array("i", draw.choices(
        range(high), k=rows * (shape[0] if shape else 1))))
    if w["kind"] == "gpt":
        return {"ids": ids(w["V"], w["T"]), "next": ids(w["V"], w["T"])}
    chosen = array.array("i", [int(draw.random() < 0.15) for _ in range(rows * w["T"])])
    return {"ids": ids(w["V"], w["T"]), "segs": ids(2, w["T"]), "target": ids(w["V"], w["T"]),
            "chosen": tensorfile.Tensor((rows, w["T"]), chosen), "follows": ids(2)}


def counted(heddle, name):
    """What the kernels of a step do: {kernel: [calls, FLOPs, bytes]}; and the number of parameters."""
    step = json.loads(output([heddle, "bench", *program(name), "--dry-run", "--json"]))
    (entry,) = step["entries"].values()
    kernels = {}
    for row in entry["kernels"]:
        before = kernels.get(row["kernel"], [0, 0, 0])
        kernels[row["kernel"]] = [int(x + row[key]) for x, key in zip(before, ["calls", "flops", "bytes"])]
    return kernels, int(step["optimizer_bytes"]) // ADAMW_BYTES


class Workload:
    """A workload of bench/peers/workloads.py, with what its samples need in a folder: data and a native program."""

    def __init__(self, name, steps, threads, heddle, folder):
        self.name, self.threads, self.heddle = name, threads, heddle
        self.steps = steps or WORKLOADS[name]["steps"]
        self.data = os.path.join(folder, f"{name}.safetensors")
        tensorfile.write(self.data, batches(name, self.steps + 2))  # as many as are not counted
        self.native = os.path.join(folder, name)
        self.compiled = os.path.join(folder, f"{name}-compiled")  # what torch.compile keeps
        output([heddle, "compile", *program(self.name), "-o", self.native])

    def sample(self, by):
        """One sample by a name of HEDDLE or PEERS: median step, first step, peak memory, and roofs beside it."""
        sample = self.of_heddle(by) if by in HEDDLE else self.of_peer(by)
        return {"workload": self.name, "by": by} | sample

    def of_heddle(self, door):
        options = ["--data", self.data, "-j", str(self.threads)]
        head = lambda command: ([self.native, command] if door == "heddle-native" else
                                [self.heddle, command, *program(self.name)])
        seconds, peak, metrics = train(head("train") + options, 3)
        timed = json.loads(output(head("bench") + options + ["--steps", str(self.steps), "--json"]))
        return {"step_ms": timed["step_ms"], "first_step_s": seconds, "peak_mib": peak, "first_loss": first_loss(metrics),
                "roof_gflops": timed["roof_gflops"], "roof_gb_s": timed["roof_gb_s"], "flops": timed["flops"],
                "optimizer_bytes": timed["optimizer_bytes"], "planned_mib": timed["peak_bytes"] >> 20}

    def of_peer(self, peer):
        _, (script, *options) = PEERS[peer]
        kept = {"TORCHINDUCTOR_CACHE_DIR": self.compiled} if peer == "torch-compile" else {}
        again = bool(kept) and os.path.exists(self.compiled)
        before = self.roofs()
        timed = json.loads(output([sys.executable, os.path.join(root, "bench/peers", script), self.name, *options, "--steps",
                                   str(self.steps), "--threads", str(self.threads)], kept))
        after = self.roofs()
        sample = {"step_ms": timed["median_ms"], "first_step_s": timed["first_step_s"], "peak_mib": timed["peak_mib"],
                  "first_loss": timed["first_loss"]} | {key: max(before[key], after[key]) for key in before}
        if again:
            del sample["first_step_s"]  # it found what an earlier sample compiled
        return sample

    def roofs(self):
        """The machine's roofs now, measured between steps of the smallest workload."""
        with tempfile.TemporaryDirectory() as folder:
            small = os.path.join(folder, "batches.safetensors")
            w = WORKLOADS["makemore"]
            ids = tensorfile.Tensor((w["B"], w["T"]), array.array("i", [0] * (w["B"] * w["T"])))
            tensorfile.write(small, {"ids": ids, "next": ids})
            timed = json.loads(output([self.heddle, "bench", *program("makemore"), "--data", small, "--steps", "1", "--json",
                                       "-j", str(self.threads)]))
        return {key: timed[key] for key in ("roof_gflops", "roof_gb_s")}
