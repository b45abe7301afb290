"""What bench/step makes of its samples: medians, ratios within rounds, fractions of the limit; and the table of them."""
import statistics

LABELS = {"heddle-jit": "Heddle, JIT", "heddle-native": "Heddle, native", "torch-eager": "PyTorch, eager",
          "torch-compile": "PyTorch, compiled", "jax": "JAX"}


def limit_ms(flops, optimizer_bytes, sample):
    """The least time of a step on the machine as it was beside a sample: FLOPs of matrix products and attention at the one
    roof, and parameters, gradients and optimizer state, read and written, at the other."""
    return flops / (sample["roof_gflops"] * 1e6) + optimizer_bytes / (sample["roof_gb_s"] * 1e6)


def summarise(rounds):
    """Of one workload. `rounds` is a list of {name: sample}; those of Heddle tell the work of a step. Returns the work, the
    best peer (None without peers) and a row for each name that has a sample in every round."""
    names = [name for name in rounds[0] if all(name in samples for samples in rounds)]
    work = next(samples[name] for samples in rounds for name in samples if "flops" in samples[name])
    flops, moved = work["flops"], work["optimizer_bytes"]
    median = lambda name, value: statistics.median(value(samples[name]) for samples in rounds)
    step = {name: median(name, lambda s: s["step_ms"]) for name in names}
    best = min((name for name in names if not name.startswith("heddle-")), key=step.get, default=None)
    rows = {}
    for name in names:
        firsts = [samples[name]["first_step_s"] for samples in rounds if "first_step_s" in samples[name]]
        rows[name] = {
            "step_ms": step[name],
            "to_best_peer": best and statistics.median(s[name]["step_ms"] / s[best]["step_ms"] for s in rounds),
            "limit_ms": median(name, lambda s: limit_ms(flops, moved, s)),
            "of_limit": median(name, lambda s: limit_ms(flops, moved, s) / s["step_ms"]),
            "first_step_s": statistics.median(firsts),
            "peak_mib": max(samples[name]["peak_mib"] for samples in rounds),
            "roof_gflops": median(name, lambda s: s["roof_gflops"]),
            "roof_gb_s": median(name, lambda s: s["roof_gb_s"]),
        }
    return {"flops": flops, "optimizer_bytes": moved, "rounds": len(rounds), "best_peer": best, "rows": rows}


def differing(rounds):
    """The names whose first loss is more than 3 % from Heddle's: they compute something else. Weights are drawn anew by
    each, which alone moves the loss of the smallest batch by some tenths of a percent."""
    samples = [(name, sample["first_loss"]) for round in rounds for name, sample in round.items()]
    expected = next(loss for name, loss in samples if name.startswith("heddle-"))
    return sorted({name for name, loss in samples if abs(loss / expected - 1) > 0.03})


def number(x):
    return f"{x:,.0f}" if x >= 99.95 else f"{x:.1f}" if x >= 9.995 else f"{x:.2f}"


def table(results):
    """Markdown: a row for each workload and name."""
    lines = ["| workload | by | step, ms | to the best peer | of the limit | first step, s | peak, MiB | DRAM, GB/s |",
             "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for workload, result in results.items():
        for i, (name, row) in enumerate(result["rows"].items()):
            ratio = f"{row['to_best_peer']:.2f}" if result["best_peer"] else ""
            lines.append(f"| {'' if i else f'`{workload}`'} | {LABELS[name]} | {number(row['step_ms'])} | {ratio} | "
                         f"{row['of_limit']:.0%} | {number(row['first_step_s'])} | {row['peak_mib']:,} | {row['roof_gb_s']:.0f} |")
    return "\n".join(lines)
