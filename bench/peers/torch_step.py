"""Times one training step of a workload in PyTorch; prints one JSON object.

Usage: torch_step.py WORKLOAD [--compile] [--bf16] [--steps N] [--threads N]
The first two steps are not in the median. Requires torch 2.13.
"""
import argparse
import json
import resource
import statistics
import time

import torch
import torch.nn as nn
import torch.nn.functional as F
from workloads import WORKLOADS, seconds_since_start


class Attention(nn.Module):
    def __init__(self, D, H, causal):
        super().__init__()
        self.H, self.causal = H, causal
        self.qkv, self.proj = nn.Linear(D, 3 * D), nn.Linear(D, D)

    def forward(self, x):
        B, T, D = x.shape
        split = lambda t: t.view(B, T, self.H, D // self.H).transpose(1, 2)
        q, k, v = map(split, self.qkv(x).split(D, 2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return self.proj(y.transpose(1, 2).reshape(B, T, D))


class Block(nn.Module):
    def __init__(self, D, H, causal):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(D), nn.LayerNorm(D)
        self.attn = Attention(D, H, causal)
        self.fc, self.fc2 = nn.Linear(D, 4 * D), nn.Linear(4 * D, D)

    def forward(self, x):
        x = x + self.attn(self.ln1(x))
        return x + self.fc2(F.gelu(self.fc(self.ln2(x)), approximate="tanh"))


class GPT(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(w["V"], w["D"]), nn.Embedding(w["T"], w["D"])
        self.blocks = nn.ModuleList(Block(w["D"], w["H"], True) for _ in range(w["L"]))
        self.lnf = nn.LayerNorm(w["D"])

    def forward(self, x, y):
        h = self.wte(x) + self.wpe.weight[: x.shape[1]]
        for block in self.blocks:
            h = block(h)
        logits = self.lnf(h) @ self.wte.weight.T
        return F.cross_entropy(logits.view(-1, logits.shape[-1]).float(), y.view(-1))


class PostNormBlock(Block):
    def forward(self, x):
        x = self.ln1(x + self.attn(x))
        return self.ln2(x + self.fc2(F.gelu(self.fc(x))))


class BERT(nn.Module):
    def __init__(self, w):
        super().__init__()
        D = w["D"]
        self.tok, self.pos, self.seg = nn.Embedding(w["V"], D), nn.Embedding(w["T"], D), nn.Embedding(2, D)
        self.ln = nn.LayerNorm(D)
        self.blocks = nn.ModuleList(PostNormBlock(D, w["H"], False) for _ in range(w["L"]))
        self.t1, self.t2, self.pool, self.nsp = nn.Linear(D, D), nn.LayerNorm(D), nn.Linear(D, D), nn.Linear(D, 2)
        self.bias = nn.Parameter(torch.zeros(w["V"]))
        for norm in self.modules():
            if isinstance(norm, nn.LayerNorm):
                norm.eps = 1e-12

    def forward(self, x, seg, y, nsp):
        h = self.ln(self.tok(x) + self.pos.weight + self.seg(seg))
        for block in self.blocks:
            h = block(h)
        m = F.linear(self.t2(F.gelu(self.t1(h))), self.tok.weight, self.bias)
        mlm = F.cross_entropy(m.view(-1, m.shape[-1]).float(), y.view(-1), ignore_index=-100)
        return mlm + F.cross_entropy(self.nsp(torch.tanh(self.pool(h[:, 0]))).float(), nsp)


def make(w):
    B, T, V = w["B"], w["T"], w["V"]
    ids = lambda high, *shape: torch.randint(0, high, shape)
    if w["kind"] == "gpt":
        return GPT(w), (ids(V, B, T), ids(V, B, T))
    y = ids(V, B, T)
    y[torch.rand(B, T) > 0.15] = -100
    return BERT(w), (ids(V, B, T), ids(2, B, T), y, ids(2, B))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    a = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(a.threads)
    model, batch = make(WORKLOADS[a.workload])
    for p in model.parameters():
        if p.dim() > 1:
            nn.init.normal_(p, std=0.02)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.1, fused=True)
    net = torch.compile(model) if a.compile else model
    times, losses = [], []
    for i in range(a.steps + 2):
        begin = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=a.bf16):
            loss = net(*batch)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
        times.append(time.perf_counter() - begin)
        if i == 0:
            first = seconds_since_start()
    kind = ("torch-compile" if a.compile else "torch-eager") + ("-bf16" if a.bf16 else "-f32")
    print(json.dumps({
        "peer": kind, "workload": a.workload, "threads": a.threads,
        "parameters": sum(p.numel() for p in model.parameters()),
        "median_ms": round(1e3 * statistics.median(times[2:]), 2), "min_ms": round(1e3 * min(times[2:]), 2),
        "first_step_s": round(first, 2), "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
        "first_loss": round(losses[0], 4), "last_loss": round(losses[-1], 4)}))


main()
