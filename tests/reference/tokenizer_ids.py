#!/usr/bin/env python3
"""Writes tests/runtime/tokenizers/: tokenizer.json files, and what the package `tokenizers` makes of test texts with them.

NAME.ids has the FNV-1a hash (64 bits, over the ids) of every ten texts. tests/runtime/TokenizerTexts.cpp makes the same
texts. Needs a Python with `tokenizers`; without --train, the tokenizers that are there are kept.
"""
import argparse
import json
import pathlib

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).resolve().parent.parent / "runtime/tokenizers"
FRAGMENTS = json.loads((HERE / "fragments.json").read_text())
TEXTS, MASK = 10000, (1 << 64) - 1


class Random:
    """splitmix64."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK
        return ((z ^ z >> 31) >> 33) % n


def utf8(point):
    return chr(point).encode("utf-8", "surrogatepass")  # a surrogate is broken UTF-8


def fragment(r):
    kind = r.below(16)
    if kind < 5:
        words = FRAGMENTS["words"]
        word = words[r.below(r.below(len(words)) + 1)].encode()
        if r.below(8) == 0:
            word = word[:1].upper() + word[1:]
        return (b" " if r.below(4) else b"") + word
    if kind == 5:
        return str(r.below(10 ** (1 + r.below(7)))).encode()
    if kind in (6, 12):
        low, high = FRAGMENTS["scripts" if kind == 6 else "asian"][r.below(len(FRAGMENTS["scripts" if kind == 6 else "asian"]))]
        return b"".join(utf8(low + r.below(high - low + 1)) for _ in range(1 + r.below(6)))
    if kind == 7:
        return FRAGMENTS["emoji"][r.below(len(FRAGMENTS["emoji"]))].encode()
    if kind == 8:
        space = utf8(FRAGMENTS["spaces"][r.below(len(FRAGMENTS["spaces"]))])
        return space * (300 if r.below(64) == 0 else 1 + r.below(5))
    if kind == 9:
        return utf8(FRAGMENTS["controls"][r.below(len(FRAGMENTS["controls"]))])
    if kind == 10:
        if r.below(2):
            return bytes(0x80 + r.below(128) for _ in range(1 + r.below(4)))
        whole = utf8(0x80 + r.below(0x10FF80))
        return whole[:1 + r.below(len(whole))]
    if kind == 11:
        out = utf8(FRAGMENTS["bases"][r.below(len(FRAGMENTS["bases"]))])
        for _ in range(1 + r.below(4)):
            low, high = FRAGMENTS["marks"][r.below(len(FRAGMENTS["marks"]))]
            out += utf8(low + r.below(high - low + 1))
        return out
    if kind == 13:
        return FRAGMENTS["contractions"][r.below(len(FRAGMENTS["contractions"]))].encode()
    if kind == 14:
        return utf8(r.below(0x110000))
    return FRAGMENTS["added"][r.below(len(FRAGMENTS["added"]))].encode()


def text(index):
    """Texts 0 to 9,999 are of random fragments; 10,000 + k has all code points from k * 4,096 on."""
    if index < TEXTS:
        r = Random(index)
        return b"".join(fragment(r) for _ in range(1 + r.below(14)))
    first = (index - TEXTS) * 4096
    return b"".join(b"a" + utf8(p) + b"b " + utf8(p) + b"1" for p in range(first, first + 4096))


def texts():
    return [text(i) for i in range(TEXTS + 272)]


def bpe(**options):
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(**{"add_prefix_space": False, **options})
    t.decoder = decoders.ByteLevel()
    return t


def wordpiece(prefix="##", cleanup=True, **normalizer):
    t = Tokenizer(models.WordPiece(unk_token="[UNK]", continuing_subword_prefix=prefix))
    t.normalizer = normalizers.BertNormalizer(**normalizer)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.decoder = decoders.WordPiece(prefix=prefix, cleanup=cleanup)
    return t


def train():
    corpus = [line for line in b"\n".join(text(i) for i in range(TEXTS)).decode("utf-8", "replace").splitlines(True)]
    corpus = "".join(corpus).split("\n")
    corpus = [line + "\n" for line in corpus[:-1]] + [corpus[-1]]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bert = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

    t = bpe()
    t.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=1500, special_tokens=["<|endoftext|>"],
                                                      initial_alphabet=alphabet, show_progress=False))
    t.save(str(HERE / "bpe.json"), pretty=False)

    t = bpe(add_prefix_space=True)
    t.train_from_iterator(corpus, trainers.BpeTrainer(
        vocab_size=1000, special_tokens=["<s>", "<pad>", "</s>", "<unk>"], initial_alphabet=alphabet, show_progress=False))
    t.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=False, special=True)])
    t.add_tokens([AddedToken("Heddle", single_word=True), AddedToken("\u00fcber", normalized=False), AddedToken("Hed")])
    t.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    t.save(str(HERE / "bpe-roberta.json"), pretty=False)

    for name, lower in (("wordpiece-uncased", True), ("wordpiece-cased", False)):
        t = wordpiece(lowercase=lower)
        t.train_from_iterator(corpus, trainers.WordPieceTrainer(vocab_size=3000, special_tokens=bert, min_frequency=2,
                                                                limit_alphabet=700, show_progress=False))
        t.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
        t.save(str(HERE / f"{name}.json"), pretty=False)

    # By hand, from the first ones: options that the usual files do not have.
    spare = json.loads((HERE / "bpe.json").read_text())
    vocab = {token: i for i, token in enumerate(
        ["<unk>"] + [t for t in spare["model"]["vocab"] if not set(t) & set("qxz\u00f0\u011f") and t != "<|endoftext|>"])}
    spare["model"]["merges"] = [m for m in spare["model"]["merges"] if m[0] in vocab and m[1] in vocab and "".join(m) in vocab]
    spare["model"].update(vocab=vocab, unk_token="<unk>", fuse_unk=True)
    spare["pre_tokenizer"].update(use_regex=False, add_prefix_space=True)
    spare["decoder"] = None
    n = len(vocab)
    flags = dict(single_word=False, lstrip=False, rstrip=False, normalized=False, special=False)
    spare["added_tokens"] = [{**flags, "id": 0, "content": "<unk>", "special": True},
                             {**flags, "id": n, "content": "<|endoftext|>", "rstrip": True, "special": True},
                             {**flags, "id": n + 1, "content": "foo bar", "lstrip": True, "rstrip": True, "normalized": True},
                             {**flags, "id": n + 2, "content": "[mask]", "single_word": True, "rstrip": True},
                             {**flags, "id": vocab["foo"], "content": "foo", "single_word": True, "rstrip": True},
                             {**flags, "id": n + 3, "content": " ", "single_word": True}]
    (HERE / "bpe-odd.json").write_text(json.dumps(spare, ensure_ascii=False))

    spare = json.loads((HERE / "wordpiece-uncased.json").read_text())
    vocab = {("@" + t[2:] if t.startswith("##") else t): i for i, t in enumerate(spare["model"]["vocab"])}
    if len(vocab) != len(spare["model"]["vocab"]):
        vocab = {("@@" + t[2:] if t.startswith("##") else t): i for i, t in enumerate(spare["model"]["vocab"])}
    prefix = "@" if "@@" not in "".join(vocab) else "@@"
    spare["model"].update(vocab=vocab, continuing_subword_prefix=prefix, max_input_chars_per_word=6)
    spare["normalizer"].update(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False)
    spare["decoder"].update(prefix=prefix, cleanup=False)
    n = len(vocab)
    spare["added_tokens"] += [{**flags, "id": n, "content": "\u00fcber", "normalized": True, "single_word": True},
                              {**flags, "id": n + 1, "content": "foo bar", "normalized": True, "rstrip": True},
                              {**flags, "id": n + 2, "content": "Heddle", "normalized": False, "lstrip": True}]
    (HERE / "wordpiece-odd.json").write_text(json.dumps(spare, ensure_ascii=False))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", action="store_true", help="make the tokenizers, too")
    if parser.parse_args().train:
        train()
    all_texts = [t.decode("utf-8", "replace") for t in texts()]
    for path in sorted(HERE.glob("*.json")):
        if path.name == "fragments.json":
            continue
        tokenizer = Tokenizer.from_file(str(path))
        lines, hash_ = [], 0xCBF29CE484222325
        for i, t in enumerate(all_texts):
            encoding = tokenizer.encode(t, add_special_tokens=False)
            for token in encoding.ids + [MASK]:  # and where a text ends
                hash_ = ((hash_ ^ token) * 0x100000001B3) & MASK
            if i < 2000:  # what decoding gives, too
                for byte in tokenizer.decode(encoding.ids, skip_special_tokens=False).encode():
                    hash_ = ((hash_ ^ byte) * 0x100000001B3) & MASK
            if i % 10 == 9 or i + 1 == len(all_texts):
                lines.append(f"{hash_:016x}")
                hash_ = 0xCBF29CE484222325
        path.with_suffix(".ids").write_text("\n".join(lines) + "\n")
        print(path.name, len(lines))


main()
