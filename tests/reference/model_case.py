"""What make_models.py needs to say of one reference: weights by Heddle's names and shapes, and f64 throughout.

Transformers computes softmax, norms, angles and losses in f32 whatever the precision of the model. `double` makes
`torch.float32` and `Tensor.float` mean f64 while a reference is built and run, and fails if any op gives another float.
"""
import contextlib
from dataclasses import dataclass, field

import torch
from torch.utils._python_dispatch import TorchDispatchMode


@dataclass
class Case:
    """One configuration of one model: `loss` gives the scalar, `names` maps Heddle's parameters to (torch's, rearrange)."""
    sizes: dict                         # dims that the inputs' shapes do not tell, for --set
    model: torch.nn.Module
    inputs: dict                        # by the names of Loss's arguments
    loss: object
    names: dict
    more: dict = field(default_factory=dict)    # further steps: suffix -> (inputs, loss)


class OnlyDouble(TorchDispatchMode):
    def __torch_dispatch__(self, op, types, args=(), kwargs=None):
        out = op(*args, **(kwargs or {}))
        for t in out if isinstance(out, (tuple, list)) else [out]:
            if isinstance(t, torch.Tensor) and t.is_floating_point() and t.dtype != torch.float64:
                raise TypeError(f"{op} gives {t.dtype}")
        return out


@contextlib.contextmanager
def double():
    kept = torch.float32, torch.float, torch.Tensor.float
    torch.set_default_dtype(torch.float64)
    torch.float32 = torch.float = torch.float64
    torch.Tensor.float = torch.Tensor.double
    try:
        with OnlyDouble():
            yield
    finally:
        torch.float32, torch.float, torch.Tensor.float = kept
        torch.set_default_dtype(torch.float32)


def draw(model, seed):
    """Random values, representable in f32, for every parameter: gains and biases too. None is at its usual start."""
    g = torch.Generator().manual_seed(seed)
    norms = {id(p) for m in model.modules() if "Norm" in type(m).__name__ for p in m.parameters(recurse=False)}
    tables = {id(m.weight) for m in model.modules() if isinstance(m, torch.nn.Embedding)}
    transposed = {id(m.weight) for m in model.modules() if type(m).__name__ == "Conv1D"}    # of transformers: [in, out]
    for name, p in model.named_parameters():
        value = torch.randn(p.shape, generator=g, dtype=torch.float64)
        if id(p) in norms and name.endswith("weight"):
            value = 1 + 0.3 * value
        elif p.dim() == 1:
            value = 0.3 * value
        elif id(p) in tables:
            value = 0.7 * value
        else:
            value = value * (p[:, 0] if id(p) in transposed else p[0]).numel() ** -0.5
        p.data = round_to_single(value)
    return model


def round_to_single(t):
    """The nearest values that f32 has, as f64; by way of numpy, which `double` leaves alone."""
    return torch.from_numpy(t.numpy().astype("float32").astype("float64"))


# Rearrangements: each takes a weight, or its gradient, from torch's shape to Heddle's.
def same(t):
    return t


def transposed(t):
    """[out, in] -> [in, out]."""
    return t.t()


def to_heads(*heads):
    """[(heads, K), D] -> [D, heads, K]; of a bias, [(heads, K)] -> [heads, K]."""
    return lambda t: t.t().reshape(t.shape[1], *heads, -1) if t.dim() == 2 else t.reshape(*heads, -1)


def from_heads(*heads):
    """[D, (heads, K)] -> [heads, K, D]."""
    return lambda t: t.t().reshape(*heads, -1, t.shape[0])


def part(i, n, then, dim=0):
    """The i-th of n equal parts, then rearranged: of query, key and value in one matrix."""
    return lambda t: then(t.chunk(n, dim if t.dim() > 1 else 0)[i])


def linear(name, source):
    return {name + ".w": (source + ".weight", transposed), name + ".b": (source + ".bias", same)}


def layer_norm(name, source):
    return {name + ".gain": (source + ".weight", same), name + ".bias": (source + ".bias", same)}


def multi_head(name, heads, query, key, value, out):
    """std.nn's MultiHead, of four linear layers."""
    names = {}
    for letter, source in (("q", query), ("k", key), ("v", value)):
        names |= {f"{name}.w{letter}": (source + ".weight", to_heads(heads)),
                  f"{name}.b{letter}": (source + ".bias", to_heads(heads))}
    return names | {name + ".wo": (out + ".weight", from_heads(heads)), name + ".bo": (out + ".bias", same)}


def padded(lengths, size):
    """[B, size]: true at the first tokens of each row."""
    return torch.arange(size) < torch.tensor(lengths)[:, None]
