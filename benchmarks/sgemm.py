#!/usr/bin/env python3
"""Prints two rates at which this machine multiplies float32 matrices, in FLOP/s: sgemm.py [THREADS].

The first is torch.mm, which goes through MKL and is what transformers' linear layers get: the faster of two square
sizes. The second is oneDNN with the weight laid out beforehand, which is what pleat's linear layers get: 256 rows by
a weight of 1280 x 5120. On processors that are not Intel's the two can differ by a factor of two. Each is the median
of three seconds of repetitions.
"""

import statistics
import sys
import time

import torch


def median_seconds(call, seconds=3.0):
    call()
    times = []
    while sum(times) < seconds:
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def mm_rate(size):
    a, b, out = torch.randn(size, size), torch.randn(size, size), torch.empty(size, size)
    return 2 * size**3 / median_seconds(lambda: torch.mm(a, b, out=out))


def onednn_rate(rows=256, inner=1280, outer=5120):
    x, bias = torch.randn(rows, inner), torch.randn(outer)
    weight = torch.ops.mkldnn._reorder_linear_weight(torch.randn(outer, inner), rows)
    linear = torch.ops.mkldnn._linear_pointwise
    return 2 * rows * inner * outer / median_seconds(lambda: linear(x, weight, bias, "none", [], ""))


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    if len(sys.argv) > 1:
        torch.set_num_threads(int(sys.argv[1]))
    print(max(mm_rate(2048), mm_rate(4096)), onednn_rate())
