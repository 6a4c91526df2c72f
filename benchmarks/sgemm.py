#!/usr/bin/env python3
"""Prints the rate at which this machine multiplies float32 matrices, in FLOP/s: sgemm.py [THREADS]. The faster of two
sizes, each the median of three seconds of repetitions."""

import statistics
import sys
import time

import torch


def rate(size, seconds=3.0):
    a, b, out = torch.randn(size, size), torch.randn(size, size), torch.empty(size, size)
    torch.mm(a, b, out=out)
    times = []
    while sum(times) < seconds:
        begin = time.perf_counter()
        torch.mm(a, b, out=out)
        times.append(time.perf_counter() - begin)
    return 2 * size**3 / statistics.median(times)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        torch.set_num_threads(int(sys.argv[1]))
    print(max(rate(2048), rate(4096)))
