"""Checks the tables models/MODEL.map, both ways, with transformers itself.

Usage: VENV/bin/python check_weights.py HEDDLE [MODEL...]      (VENV as for make_models.py, which says how to make one)
For both configurations of each model, with random weights in f32:
  - what transformers saves is imported: every parameter is bit by bit what models_hf.py says it should be;
  - with it, Heddle's logits are those of transformers within 1e-4 of the largest, and the loss within 1e-5;
  - what is exported again has the tensors that transformers saved, bit by bit;
  - transformers loads that without a missing or unexpected key, and gives the same logits, bit by bit.
Import and export give back the bits of F16 and BF16 files too. For the two models of PyTorch alone, parameters, loss and
bits. Every failure is listed before the exit.
"""
import argparse
import os
import shutil
import sys
import tempfile

import tensorfile
import torch
import transformers
from checking import check, failures, run_heddle
from make_models import MODELS, inputs_of, plain
from model_case import double
from safetensors.torch import load_file, save_file

here = os.path.dirname(os.path.abspath(__file__))
# By model: the module that gives logits, what it takes, the dims of an input that no parameter has.
MODULES = {"gpt2": ("GPT2", ["ids", "valid"], {"ids": ["B", "T"]}),
           "bert": ("Bert", ["ids", "segs", "valid"], {"ids": ["B", "T"]}),
           "roberta": ("Roberta", ["ids", "segs", "valid"], {"ids": ["B", "T"]}),
           "longformer": ("Longformer", ["ids", "segs", "valid", "global"], {"ids": ["B", "T"]}),
           "vit": ("ViT", ["img"], {"img": ["B", "CH", "Y", "X"]}),
           "t5": ("T5", ["src", "src_valid", "tgt", "tgt_valid"], {"src": ["B", "N"], "tgt": ["B", "T"]}),
           "llama": ("Llama", ["ids", "valid"], {"ids": ["B", "T"]}),
           "transformer": (None, [], {"src": ["B", "N"], "tgt": ["B", "T"]}),
           "transformer-xl": (None, [], {"ids": ["B", "T"]})}


def logits_of(name, model, x):
    """Transformers' logits, in the order of Heddle's results."""
    with torch.no_grad():
        if name == "vit":
            return [model(pixel_values=x["img"].float()).logits]
        if name == "t5":
            return [model(input_ids=x["src"], attention_mask=x["src_valid"].long(), decoder_input_ids=x["tgt"],
                          decoder_attention_mask=x["tgt_valid"].long(), use_cache=False).logits]
        more = {"token_type_ids": x["segs"]} if "segs" in x else {"use_cache": False}
        if name == "longformer":
            more["global_attention_mask"] = x["global"].long()
        y = model(input_ids=x["ids"], attention_mask=x["valid"].long(), **more)
        return [y.prediction_logits, y.seq_relationship_logits] if name == "bert" else [y.logits]


def same_tensors(title, path, want):
    got = load_file(path)
    check(set(got) == set(want), f"{title}: the same {len(want)} tensors; differ: {set(got) ^ set(want)}")
    different = [n for n in want if n in got and (got[n].dtype != want[n].dtype or not torch.equal(got[n], want[n]))]
    check(not different, f"{title}: the same bits; differ: {different}")


def load_again(title, name, case, folder, model_folder, path, want):
    """Transformers loads the file `path` as it loads the one it saved, and gives the logits `want`."""
    again = os.path.join(folder, "again")
    shutil.rmtree(again, ignore_errors=True)
    os.mkdir(again)
    shutil.copy(os.path.join(model_folder, "config.json"), again)
    shutil.copy(path, os.path.join(again, "model.safetensors"))
    loaded, info = type(case.model).from_pretrained(again, attn_implementation="eager", output_loading_info=True,
                                                    dtype=torch.float32)
    said = {key: value for key, value in info.items() if value}
    check(not said, f"{title}: transformers loads it; {said}")
    got = logits_of(name, loaded.eval(), case.inputs)
    check(all(torch.equal(a, b) for a, b in zip(got, want, strict=True)), f"{title}: transformers' logits, bit by bit")


def check_logits(title, name, case, got, want):
    tensors = tensorfile.read(got)
    for i, logits in enumerate(want):
        t = tensors["out" if len(want) == 1 else f"out.{i}"]
        mine = torch.frombuffer(t.data, dtype=torch.float32).reshape(t.shape)
        valid = case.inputs.get("tgt_valid", case.inputs.get("valid"))
        rows = valid if logits.dim() == 3 else ...
        off = ((mine - logits)[rows].abs().max() / logits[rows].abs().max()).item()
        check(mine.shape == logits.shape and off <= 1e-4, f"{title}: logits {i} {list(t.shape)} off by {off:.1e} of the largest")


def check_model(name, which, folder):
    title = f"{name}-{which}"
    module, takes, shapes = MODULES[name]
    program, table = (os.path.join(here, "models", name + end) for end in (".heddle", ".map"))
    with double():
        case = MODELS[name](which)
        loss = case.loss().item()
        given = inputs_of(case.inputs)
    case.model.float()
    sizes = dict(case.sizes)
    for source, dims in shapes.items():
        sizes |= dict(zip(dims, case.inputs[source].shape, strict=True))
    sets = [word for dim, size in sizes.items() for word in ("--set", f"{dim}={size}")]
    saved, path = os.path.join(folder, "saved"), {n: os.path.join(folder, n) for n in
                                                  ("params", "logits", "in", "out", "back", "narrow", "narrow2")}
    original = os.path.join(saved, "model.safetensors")
    if module:
        case.model.save_pretrained(saved)
    else:
        os.mkdir(saved)
        save_file({n: t.detach().contiguous() for n, t in case.model.named_parameters()}, original)
    weights = dict(case.model.named_parameters())

    def heddle(*arguments):
        return run_heddle(options.heddle, *arguments) is not None

    def mapped(verb, given, to, of="Loss", *more):
        return heddle(verb, program, given, "--module", of, *sets, "--table", table, "--out", to, "--force", *more)

    if mapped("import", original, path["params"]):
        got = tensorfile.read(path["params"])
        expected = {n: plain(rearrange(weights[source].detach()), "float32") for n, (source, rearrange) in case.names.items()}
        wrong = [n for n, t in expected.items() if n not in got or got[n].shape != t.shape or got[n].data != t.data]
        check(not wrong and len(got) == len(expected), f"{title}: {len(got)} parameters, bit by bit; wrong: {wrong}")
        tensorfile.write(path["in"], {n[3:]: t for n, t in given.items()})
        if heddle("run", program, "Loss", *case_sets(case), "--in", path["in"], "--params", path["params"], "--out", path["out"]):
            value = tensorfile.read(path["out"])["out"].data[0]
            check(abs(value - loss) <= 1e-5 * abs(loss), f"{title}: loss {value:.6f}, the reference's is {loss:.6f}")
        if mapped("export", path["params"], path["back"]):
            same_tensors(f"{title} exported", path["back"], load_file(original))
            if module:
                want = logits_of(name, case.model, case.inputs)
                load_again(f"{title} exported", name, case, folder, saved, path["back"], want)
    if module and mapped("import", original, path["logits"], module):
        tensorfile.write(path["in"], {n: given["in." + n] for n in takes})
        if heddle("run", program, module, *case_sets(case), "--in", path["in"], "--params", path["logits"], "--out", path["out"]):
            check_logits(title, name, case, path["out"], logits_of(name, case.model, case.inputs))
    for dtype, word in ((torch.float16, "F16"), (torch.bfloat16, "BF16")):
        narrow = {n: t.to(dtype) for n, t in load_file(original).items()}
        save_file(narrow, path["narrow"], {"format": "pt"})
        if mapped("import", path["narrow"], path["params"]) and mapped("export", path["params"], path["back"]):
            same_tensors(f"{title} from {word}", path["back"], {n: t.float() for n, t in narrow.items()})
        if mapped("export", path["params"], path["narrow2"], "Loss", "--dtype", word):
            same_tensors(f"{title} as {word}", path["narrow2"], narrow)


def case_sets(case):
    """The sizes that the inputs of a run do not tell."""
    return [word for dim, size in case.sizes.items() for word in ("--set", f"{dim}={size}")]


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    parser = argparse.ArgumentParser()
    parser.add_argument("heddle")
    parser.add_argument("models", nargs="*", help=", ".join(MODULES))
    options = parser.parse_args()
    for name in options.models or MODULES:
        for which in "ab":
            with tempfile.TemporaryDirectory() as folder:
                check_model(name, which, folder)
    print(f"{len(failures)} failures")
    sys.exit(bool(failures))
