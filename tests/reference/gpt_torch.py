"""The GPT of examples/gpt-char in PyTorch, with Heddle's parameter names and layouts. Requires torch 2.13.

It is written as functions of a dictionary of tensors, not as nn.Modules, so that a checkpoint of either side is the
other's input as it stands: wte [V,D], wpe [P,D], h.I.attn.wq [D,H,K], h.I.fc.w [D,F], ...
"""
import array
import math
from dataclasses import dataclass

import tensorfile
import torch
import torch.nn.functional as F


@dataclass
class Config:
    L: int = 4
    H: int = 4
    D: int = 128
    T: int = 64
    B: int = 12
    V: int = 97

    @property
    def K(self):
        return self.D // self.H


def shapes(c):
    """Name -> (shape, standard deviation; None is ones, 0 is zeros), in the order in which Heddle declares them."""
    narrow = 0.02 / math.sqrt(2 * c.L)
    s = {"wte": ((c.V, c.D), 0.02), "wpe": ((c.T, c.D), 0.02)}
    for i in range(c.L):
        h = f"h.{i}."
        s |= {h + "ln1.gain": ((c.D,), None), h + "ln1.bias": ((c.D,), 0)}
        s |= {h + "attn." + w: ((c.D, c.H, c.K), 0.02) for w in ("wq", "wk", "wv")}
        s |= {h + "attn.wo": ((c.H, c.K, c.D), narrow)}
        s |= {h + "ln2.gain": ((c.D,), None), h + "ln2.bias": ((c.D,), 0)}
        s |= {h + "fc.w": ((c.D, 4 * c.D), 0.02), h + "fc.b": ((4 * c.D,), 0)}
        s |= {h + "proj.w": ((4 * c.D, c.D), narrow), h + "proj.b": ((c.D,), 0)}
    return s | {"ln_f.gain": ((c.D,), None), "ln_f.bias": ((c.D,), 0)}


def initial(c, seed):
    """Fresh f32 parameters, drawn in the order of shapes()."""
    g = torch.Generator().manual_seed(seed)
    make = lambda shape, std: torch.ones(shape) if std is None else std * torch.randn(shape, generator=g)
    return {name: make(*entry) for name, entry in shapes(c).items()}


def logits(p, ids, c):
    """ids (B,T) -> (B,T,V)."""
    T = ids.shape[1]
    norm = lambda x, name: F.layer_norm(x, (c.D,), p[name + ".gain"], p[name + ".bias"], 1e-5)
    x = p["wte"][ids] + p["wpe"][:T]
    future = torch.ones(T, T, dtype=torch.bool).triu(1)
    for i in range(c.L):
        h = f"h.{i}."
        a = norm(x, h + "ln1")
        q, k, v = (torch.einsum("btd,dhk->bhtk", a, p[h + "attn." + w]) for w in ("wq", "wk", "wv"))
        s = (q @ k.transpose(-1, -2) * c.K**-0.5).masked_fill(future, -torch.inf)
        x = x + torch.einsum("bhtk,hkd->btd", torch.softmax(s, -1) @ v, p[h + "attn.wo"])
        f = F.gelu(norm(x, h + "ln2") @ p[h + "fc.w"] + p[h + "fc.b"], approximate="tanh")
        x = x + f @ p[h + "proj.w"] + p[h + "proj.b"]
    return norm(x, "ln_f") @ p["wte"].T


def loss(p, ids, following, c):
    """Mean cross entropy in nats."""
    y = logits(p, ids, c)
    return F.cross_entropy(y.reshape(-1, y.shape[-1]), following.reshape(-1))


def rate(step, steps, warmup, peak, last):
    """`warmup(W) then cosine(PEAK, LAST)` at a step counted from 1."""
    if step <= warmup:
        return peak * step / warmup
    return last + 0.5 * (peak - last) * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))


CODES = {torch.float32: "f", torch.float64: "d", torch.int32: "i", torch.int64: "q"}


def save(path, tensors, metadata=None):
    plain = {}
    for name, t in tensors.items():
        t = t.detach().contiguous()
        plain[name] = tensorfile.Tensor(tuple(t.shape), array.array(CODES[t.dtype], t.numpy().tobytes()))
    tensorfile.write(path, plain, metadata)


def load(path):
    kinds = {code: kind for kind, code in CODES.items()}
    return {name: torch.frombuffer(bytearray(t.data.tobytes()), dtype=kinds[t.data.typecode]).reshape(t.shape)
            for name, t in tensorfile.read(path).items() if t.data.typecode in kinds and len(t.data)}


def adamw(p, beta2, decay):
    """AdamW as Heddle applies it: gains and biases, of one dim, do not decay."""
    groups = [{"params": [t for t in p.values() if t.dim() >= 2], "weight_decay": decay},
              {"params": [t for t in p.values() if t.dim() < 2], "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=0.0, betas=(0.9, beta2), eps=1e-8)


def set_rate(optimizer, value):
    for group in optimizer.param_groups:
        group["lr"] = value
