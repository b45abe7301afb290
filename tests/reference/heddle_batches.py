"""The windows of a text that Heddle trains and evaluates on (runtime/TextSource.cpp, runtime/Philox.h), in Python.

Training step s, row r starts at a place drawn by Philox4x32-10 with the run's seed as key; evaluation windows are
spread evenly over the held-back part. So another program can train on the very batches of a Heddle run.
"""
MASK = 0xFFFFFFFF
DATA_STREAM = 0xDA7A0000  # kDataStream


def philox(counter, seed):
    c, key = list(counter), [seed & MASK, seed >> 32]
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ key[0], b & MASK, (a >> 32) ^ c[3] ^ key[1], a & MASK]
        key = [(key[0] + 0x9E3779B9) & MASK, (key[1] + 0xBB67AE85) & MASK]
    return c


assert philox([0] * 4, 0) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]  # Random123's known answer


def training(seed, step, rows, length, trained):
    """First tokens of the windows of a step (from 1); `trained` is the number of tokens to draw from."""
    starts = []
    for row in range(rows):
        low, high, _, _ = philox([row, step >> 32, step & MASK, DATA_STREAM], seed)
        starts.append(((high << 32 | low) * (trained - length)) >> 64)
    return starts


def evaluation(batches, rows, length, trained, count):
    """First tokens of all windows of an evaluation, batch by batch."""
    n = batches * rows
    return [trained + i * (count - trained - length) // n for i in range(n)]
