"""Times forward and backward of attention variants in PyTorch (SDPA); prints one JSON object per variant.

Usage: attn_torch.py [--T N] [--H N] [--K N] [--B N] [--runs N] [--threads N]
Requires torch 2.13.
"""
import argparse
import json
import math
import statistics
import time

import torch
import torch.nn.functional as F

parser = argparse.ArgumentParser()
for name, value in (("T", 1024), ("H", 12), ("K", 64), ("B", 1), ("runs", 7), ("threads", 2)):
    parser.add_argument("--" + name, type=int, default=value)
a = parser.parse_args()
torch.set_num_threads(a.threads)
torch.manual_seed(0)
B, H, T, K = a.B, a.H, a.T, a.K
q, k, v = (torch.randn(B, H, T, K, requires_grad=True) for _ in range(3))
g = torch.randn(B, H, T, K)
i, j = torch.arange(T)[:, None], torch.arange(T)[None]
window = (j <= i) & (j > i - 256)
slope = 2.0 ** (-8 * (torch.arange(H) + 1) / H)
alibi = torch.where(j <= i, -slope[:, None, None] * (i - j), -torch.inf)[None]
table = torch.zeros(H, 2 * T - 1, requires_grad=True)
sdpa = F.scaled_dot_product_attention


def softcap():
    s = 30 * torch.tanh(q @ k.transpose(-1, -2) / math.sqrt(K) / 30)
    return torch.softmax(s.masked_fill(j > i, -torch.inf), -1) @ v


variants = {
    "full": lambda: sdpa(q, k, v),
    "causal": lambda: sdpa(q, k, v, is_causal=True),
    "window256": lambda: sdpa(q, k, v, attn_mask=window),
    "alibi": lambda: sdpa(q, k, v, attn_mask=alibi),
    "learned-bias": lambda: sdpa(q, k, v, attn_mask=table[:, i - j + T - 1][None]),
    "causal-dropout": lambda: sdpa(q, k, v, is_causal=True, dropout_p=0.1),
    "softcap-causal": softcap,
}
for name, attention in variants.items():
    forward, backward = [], []
    for run in range(a.runs + 1):
        for t in (q, k, v, table):
            t.grad = None
        t0 = time.perf_counter()
        o = attention()
        t1 = time.perf_counter()
        o.backward(g)
        t2 = time.perf_counter()
        if run:
            forward.append(t1 - t0)
            backward.append(t2 - t1)
    ms = lambda times: round(1e3 * statistics.median(times), 2)
    print(json.dumps({"variant": name, "B": B, "H": H, "T": T, "K": K, "threads": a.threads,
                      "forward_ms": ms(forward), "backward_ms": ms(backward)}), flush=True)
