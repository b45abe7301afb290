"""Times forward and backward of attention variants in PyTorch; prints one JSON object per variant.

Usage: attn_torch.py [VARIANT ...] [--T N] [--H N] [--K N] [--B N] [--runs N] [--threads N] [--form NAME] [--compile]
A variant has several forms: scaled_dot_product_attention with each kind of mask that says it, and written out in tensor
ops. Each form runs twice; the one whose second run is the fastest is timed, unless --form names one. --compile adds the
written form under torch.compile. Masks and bucket numbers are made beforehand and not timed. Requires torch 2.13.
"""
import argparse
import json
import math
import statistics
import time

import torch
import torch.nn.functional as F

WINDOW, CAP, RATE, BUCKETS, FAR = 256, 30.0, 0.1, 32, 128
VARIANTS = "full", "causal", "sliding-window", "alibi", "learned-bias", "dropout", "soft-cap"

parser = argparse.ArgumentParser()
parser.add_argument("variants", nargs="*", metavar="VARIANT", help=" ".join(VARIANTS))
for name, value in (("T", 1024), ("H", 12), ("K", 64), ("B", 1), ("runs", 7), ("threads", 2)):
    parser.add_argument("--" + name, type=int, default=value)
parser.add_argument("--form")
parser.add_argument("--compile", action="store_true")
a = parser.parse_args()
if unknown := [name for name in a.variants if name not in VARIANTS]:
    parser.error(f"no such variant: {', '.join(unknown)}")
torch.set_num_threads(a.threads)
torch.manual_seed(0)
B, H, T, K = a.B, a.H, a.T, a.K
q, k, v = (torch.randn(B, H, T, K, requires_grad=True) for _ in range(3))
g = torch.randn(B, H, T, K)
back = torch.arange(T)[:, None] - torch.arange(T)[None]
sdpa = F.scaled_dot_product_attention
additive = lambda seen: torch.where(seen, 0.0, -torch.inf)


def written(mask=None, scale=K**-0.5, cap=None, rate=0.0):
    s = (q * (scale / cap if cap else scale)) @ k.transpose(-1, -2)
    if cap:
        s = s.tanh_() * cap
    if mask is not None:
        s += mask
    p = torch.softmax(s, -1)
    return (F.dropout(p, rate) if rate else p) @ v


def t5_bucket():
    half, exact = BUCKETS // 2, BUCKETS // 4
    away = back.abs()
    coarse = exact + (torch.log(away.clamp(min=1) / exact) / math.log(FAR / exact) * (half - exact)).long()
    return torch.where(back < 0, half, 0) + torch.where(away < exact, away, coarse).clamp(max=half - 1)


def forms_of(variant):
    """The forms of a variant, by name, and the parameters that it has beside q, k and v."""
    causal = back >= 0
    if variant == "full":
        return {"sdpa": lambda: sdpa(q, k, v), "written": written}, ()
    if variant == "causal":
        mask = additive(causal)
        return {"sdpa is_causal": lambda: sdpa(q, k, v, is_causal=True), "written": lambda: written(mask)}, ()
    if variant == "sliding-window":
        seen = causal & (back < WINDOW)
        mask = additive(seen)
        return {"sdpa bool mask": lambda: sdpa(q, k, v, attn_mask=seen),
                "sdpa float mask": lambda: sdpa(q, k, v, attn_mask=mask), "written": lambda: written(mask)}, ()
    if variant == "alibi":
        slope = 2.0 ** (-8 * (torch.arange(H) + 1) / H)
        mask = torch.where(causal, -slope[:, None, None] * back, -torch.inf)[None]
        return {"sdpa float mask": lambda: sdpa(q, k, v, attn_mask=mask), "written": lambda: written(mask)}, ()
    if variant == "learned-bias":
        bucket, table = t5_bucket(), torch.randn(H, BUCKETS, requires_grad=True)
        indexed = lambda: table[:, bucket][None]
        selected = lambda: table.index_select(1, bucket.view(-1)).view(1, H, T, T)
        embedded = lambda: F.embedding(bucket, table.t()).permute(2, 0, 1)[None]
        line = torch.cat([bucket[-1], bucket[0, 1:]])   # by j - i = 1 - T .. T - 1
        unfolded = lambda: table[:, line].unfold(1, T, 1).flip(1)[None]
        biases = {"index": indexed, "index_select": selected, "embedding": embedded, "unfold": unfolded}
        assert all(torch.equal(indexed(), bias()) for bias in biases.values())
        forms = {}
        for name, bias in biases.items():
            forms[f"sdpa {name}"] = lambda bias=bias: sdpa(q, k, v, attn_mask=bias(), scale=1.0)
            forms[f"written {name}"] = lambda bias=bias: written(bias(), scale=1.0)
        return forms, (table,)
    mask = additive(causal)
    if variant == "dropout":
        return {"sdpa is_causal": lambda: sdpa(q, k, v, is_causal=True, dropout_p=RATE),
                "written": lambda: written(mask, rate=RATE)}, ()
    return {"written": lambda: written(mask, cap=CAP)}, ()


def run(form, parameters):
    """One forward and one backward; their seconds."""
    for t in (q, k, v, *parameters):
        t.grad = None
    begin = time.perf_counter()
    o = form()
    middle = time.perf_counter()
    o.backward(g)
    return middle - begin, time.perf_counter() - middle


for variant in a.variants or VARIANTS:
    forms, parameters = forms_of(variant)
    if a.compile:
        forms |= {f"compiled {name}": torch.compile(form) for name, form in forms.items() if name.startswith("written")}
    if a.form:
        forms = {a.form: forms[a.form]}
    tried = {}
    for name, form in forms.items():
        run(form, parameters)
        tried[name] = sum(run(form, parameters))
    best = min(tried, key=tried.get)
    times = [run(forms[best], parameters) for _ in range(a.runs)]
    ms = lambda times: round(1e3 * statistics.median(times), 2)
    print(json.dumps({"variant": variant, "B": B, "H": H, "T": T, "K": K, "threads": a.threads, "form": best,
                      "forward_ms": ms(f for f, _ in times), "backward_ms": ms(b for _, b in times),
                      "total_ms": ms(map(sum, times)), "tried_ms": {n: round(1e3 * t, 2) for n, t in tried.items()},
                      "torch": torch.__version__}), flush=True)
