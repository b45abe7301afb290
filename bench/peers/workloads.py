"""The workloads on which peers and Heddle are timed, one training step each (forward, backward, AdamW).

`steps` is how many steps make a sample: some seconds of them, for a machine of two cores.
"""
import os
import time

WORKLOADS = {
    # makemore's default transformer: overhead, not arithmetic, decides
    "makemore": dict(kind="gpt", L=4, H=4, D=64, T=16, B=32, V=27, steps=200),
    # nanoGPT's CPU configuration of shakespeare-char
    "char-cpu": dict(kind="gpt", L=4, H=4, D=128, T=64, B=12, V=65, steps=80),
    # nanoGPT's shakespeare-char model, a batch that two cores can hold
    "char-10m": dict(kind="gpt", L=6, H=6, D=384, T=256, B=8, V=65, steps=6),
    # GPT-2 small at llm.c's CPU shape, and at longer contexts
    "gpt2-t64": dict(kind="gpt", L=12, H=12, D=768, T=64, B=4, V=50257, steps=6),
    "gpt2-t256": dict(kind="gpt", L=12, H=12, D=768, T=256, B=2, V=50257, steps=4),
    # BERT-base: segment embeddings, masked-LM and next-sentence losses
    "bert-t128": dict(kind="bert", L=12, H=12, D=768, T=128, B=4, V=30522, steps=4),
}


def seconds_since_start():
    """Seconds since this process was started, to 10 ms."""
    with open("/proc/self/stat") as f:
        ticks = int(f.read().rsplit(")", 1)[1].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
