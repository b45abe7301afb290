"""Damages the files of a cache. Usage: damage.py FOLDER flip|cut|empty|swap|one"""
import os
import sys

folder, how = sys.argv[1:]
names = sorted(os.listdir(folder))
texts = {name: open(os.path.join(folder, name), "rb").read() for name in names}
if how == "one":  # an object: the file of a program is text
    names = [name for name in names if b"\x7fELF" in texts[name]][:1]
    how = "flip"
assert names
for i, name in enumerate(names):
    text = bytearray(texts[name])
    if how == "flip":
        text[len(text) * 2 // 3] ^= 1
    elif how == "cut":
        del text[len(text) // 2:]
    elif how == "empty":
        text.clear()
    else:  # whole, but another's
        text = texts[names[i - 1]]
    with open(os.path.join(folder, name), "wb") as file:
        file.write(text)
