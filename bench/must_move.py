"""The bytes that a training step of a workload must move, whatever the compiler.

Every parameter: read forward and backward, its gradient written and read, and the weight and both moments of AdamW read and
written: ten floats. Every activation below: written once, read once. And the batch. Anything else (outputs of norms and of
GELU, logits, probabilities, gradients of activations) can be computed again from these by elementwise work and reductions of
a row, or handed on in the cache by a product that is computed block by block.
"""
from step_samples import WORKLOADS

PARAMETER = 40  # bytes

# Floats a token that backward needs of a layer, in d, the width of the model, and h heads; a norm keeps mean and rstd.
LAYER = {
    "input of the layer": lambda d, h: d,
    "query, key, value": lambda d, h: 3 * d,
    "output of attention": lambda d, h: d,
    "largest score and sum of each row and head": lambda d, h: 2 * h,
    "residual stream between attention and the feed-forward part": lambda d, h: d,
    "input of GELU": lambda d, h: 4 * d,
    "statistics of two norms": lambda d, h: 4,
}
# And around the layers: of gpt the input of the last norm; of bert those of the norm of the embedding and of the transform's
# GELU and norm.
AROUND = {"gpt": lambda d: d + 2, "bert": lambda d: 2 * d + 4}
# 32-bit numbers a token of the batch: ids and next ids; ids, segments, targets and which are chosen.
INPUTS = {"gpt": 2, "bert": 4}


def must_move(name, parameters):
    """Bytes a step of a workload with so many parameters."""
    w = WORKLOADS[name]
    saved = w["L"] * sum(size(w["D"], w["H"]) for size in LAYER.values()) + AROUND[w["kind"]](w["D"])
    return PARAMETER * parameters + w["B"] * w["T"] * 4 * (2 * saved + INPUTS[w["kind"]])
