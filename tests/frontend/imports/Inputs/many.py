"""Writes programs that import as much as is allowed, and more, to the current folder."""
import pathlib


def write(name, text):
    pathlib.Path(name + ".heddle").write_text(text)


for i in range(65):
    write(f"step-{i}", f'use "step-{i + 1}.heddle"\ndim D{i}\n')
write("step-65", "dim D65\n")
write("row-65", 'use "step-1.heddle"\n')  # 1 to 65
write("row-64", 'use "step-2.heddle"\n')
for i in range(65):
    write(f"leaf-{i}", "")
write("wide", "".join(f'use "leaf-{i}.heddle"\n' for i in range(65)))
write("half", "# " + "x" * 600_000)
write("other-half", "# " + "x" * 600_000)
write("large", 'use "half.heddle"\nuse "other-half.heddle"\n')
write("million", "# " + "x" * 1_100_000)
write("one-large", 'use "million.heddle"\n')
write("ten-thousand", "dim " + ",".join(f"a{i}" for i in range(10_001)))
write("dims", 'use "ten-thousand.heddle"\n')
# An imported dim whose size stands at the end of a long chain of dims.
write("open", "dim a50000, Z = 2 * a50000")
write("chain", 'use "open.heddle"\ndim a0 = 4\n' + "".join(f"dim a{i}=a{i - 1}\n" for i in range(1, 50_001)))
