"""Makes what check_models.py compares Heddle with: losses and gradients of the implementations that people trust.

Requires torch and transformers; run it by hand, commit what it writes:
    python3 -m venv VENV && VENV/bin/pip install torch==2.13.0 transformers==5.24.0 numpy
    VENV/bin/python tests/reference/make_models.py [--single] [MODEL...]
Writes models/MODEL-a.safetensors and -b, two configurations, of
  in.NAME       what models/MODEL.heddle's Loss takes
  param.NAME    f32, the weights by Heddle's names and in its shapes: random, gains and biases too
  loss          f64
  grad.NAME     the gradient of the loss by each weight and float input: computed in f64 from the
                f32 weights, kept as f32
and the same of the second of two segments as second.in.NAME, second.loss, second.grad.NAME where a model has a memory.
The metadata has the sizes of dims that the inputs do not tell, and the versions. --single writes nothing; it says how
much of what check_models.py allows PyTorch itself takes in f32.
"""
import argparse
import array
import os

import models_hf
import models_torch
import tensorfile
import torch
import transformers
from model_case import double

torch.set_num_threads(1)
transformers.logging.set_verbosity_error()
here = os.path.dirname(os.path.abspath(__file__))
MODELS = {"gpt2": models_hf.gpt2, "bert": models_hf.bert, "roberta": models_hf.roberta, "vit": models_hf.vit,
          "longformer": models_hf.longformer, "t5": models_hf.t5, "llama": models_hf.llama,
          "transformer": models_torch.transformer, "transformer-xl": models_torch.transformer_xl}
CODES = {"float32": "f", "float64": "d", "int32": "i", "bool": "B"}


def plain(values, kind):
    values = values.detach().numpy().astype(kind)
    return tensorfile.Tensor(values.shape, array.array(CODES[kind], values.tobytes()))


def inputs_of(inputs):
    kinds = {torch.int64: "int32", torch.bool: "bool", torch.float64: "float32"}
    return {"in." + name: plain(t, kinds[t.dtype]) for name, t in inputs.items()}


def results_of(case, loss):
    """The loss and its gradients, by Heddle's names."""
    case.model.zero_grad()
    for t in case.inputs.values():
        t.grad = None
    value = loss()
    value.backward()
    weights = dict(case.model.named_parameters())
    results = {"loss": plain(value, "float64")}
    for name, (source, rearrange) in case.names.items():
        if weights[source].grad is None:
            raise ValueError(f"{source} has no gradient")
        results["grad." + name] = plain(rearrange(weights[source].grad), "float32")
    return results | {"grad." + name: plain(t.grad, "float32") for name, t in case.inputs.items() if t.requires_grad}


def make(model, which):
    with double():
        case = MODELS[model](which)
        weights = dict(case.model.named_parameters())
        mapped = {name: plain(rearrange(weights[source].detach()), "float32")
                  for name, (source, rearrange) in case.names.items()}
        if sum(t.numel() for t in weights.values()) != sum(len(t.data) for t in mapped.values()):
            raise ValueError(f"{model}: without a name in Heddle: {set(weights) - {s for s, _ in case.names.values()}}")
        tensors = inputs_of(case.inputs) | {"param." + name: t for name, t in mapped.items()}
        tensors |= results_of(case, case.loss)
        for step, (inputs, loss) in case.more.items():
            tensors |= {f"{step}.{name}": t for name, t in (inputs_of(inputs) | results_of(case, loss)).items()}
    path = os.path.join(here, "models", f"{model}-{which}.safetensors")
    tensorfile.write(path, tensors, {"set": " ".join(f"{name}={size}" for name, size in case.sizes.items()),
                                     "torch": torch.__version__, "transformers": transformers.__version__})
    print(f"{model}-{which}: loss {tensors['loss'].data[0]:.6f}, {len(mapped)} weights, {os.path.getsize(path):,} bytes")


def single(model, which):
    """The shares of what is allowed, as in check_models.py, of loss and worst gradient; of all steps."""
    with double():
        case = MODELS[model](which)
        losses = [case.loss] + [loss for _, loss in case.more.values()]
        wanted = [results_of(case, loss) for loss in losses]
    case.model.float()
    shares = []
    for loss, want in zip(losses, wanted):
        got, exact = results_of(case, loss), want["loss"].data[0]
        pairs = [(torch.tensor(want[name].data), torch.tensor(got[name].data)) for name in want if name != "loss"]
        largest = max(g.norm() for g, _ in pairs)
        shares.append((abs(got["loss"].data[0] - exact) / abs(exact) / 1e-5,
                       max(((a - b).norm() / (1e-4 * a.norm() + 1e-6 * largest)).item() for a, b in pairs)))
    print(f"{model}-{which}: PyTorch in f32 takes {max(s[0] for s in shares):.4f} of what is allowed for the loss, "
          f"{max(s[1] for s in shares):.4f} for gradients")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="*")
    parser.add_argument("--single", action="store_true")
    options = parser.parse_args()
    for name in options.models or MODELS:
        for configuration in "ab":
            (single if options.single else make)(name, configuration)
