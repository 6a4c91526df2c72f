"""Runs transformers' EsmForProteinFolding: in float32, in float64, with bfloat16 products, and with its intermediate
states recorded under the names of tests/data/esmfold/README.md."""

import contextlib

import torch
from transformers.models.esm.modeling_esmfold import EsmFoldingTrunk
from transformers.models.esm.openfold_utils import residue_constants, rigid_utils


class DoubleTorch:
    """torch, but float32 means float64: the reference's rotations insist on float32 by that name."""

    def __getattr__(self, name):
        return torch.float64 if name == "float32" else getattr(torch, name)


@contextlib.contextmanager
def exact_rotations():
    rigid_utils.torch = DoubleTorch()
    try:
        yield
    finally:
        rigid_utils.torch = torch


@contextlib.contextmanager
def bfloat16_products(modules):
    """Matrix products of these modules run in bfloat16, everything else in float32."""
    originals = [(module, module.forward) for module in modules]

    def wrapped(forward):
        def call(*args, **kwargs):
            with torch.autocast("cpu", torch.bfloat16):
                return forward(*args, **kwargs)

        return call

    for module, forward in originals:
        module.forward = wrapped(forward)
    try:
        yield
    finally:
        for module, _ in originals:
            del module.forward  # the class's own is below


@contextlib.contextmanager
def recorded_distances(found):
    """Appends, for each pass, the distances [P * P] that recycling puts into bins, in float64."""
    original = EsmFoldingTrunk.distogram

    def distogram(coords, *args):
        n, ca, c = coords.double().unbind(-2)
        b, c = ca - n, c - ca
        cb = -0.58273431 * b.cross(c, dim=-1) + 0.56802827 * b - 0.54067466 * c + ca
        found.append((cb[:, :, None] - cb[:, None]).norm(dim=-1).flatten())
        return original(coords, *args)

    EsmFoldingTrunk.distogram = staticmethod(distogram)
    try:
        yield
    finally:
        EsmFoldingTrunk.distogram = staticmethod(original)


def run(model, letters, index, recycles, bfloat16=False):
    """Returns the output and the distances that each pass hands to the next."""
    aatype = torch.tensor([[residue_constants.restype_order_with_x[letter] for letter in letters]])
    distances = []
    with contextlib.ExitStack() as stack:
        stack.enter_context(recorded_distances(distances))
        if bfloat16:
            stack.enter_context(bfloat16_products([model.esm, *model.trunk.blocks]))
        output = model(aatype, position_ids=torch.tensor([index]), num_recycles=recycles)
    return output, distances[:-1]  # those of the last pass go nowhere


def atom37_to_atom14(output):
    """The reference's pLDDT [P, 37], 0 to 1, in atom14's order: [P, 14]."""
    return torch.gather(output["plddt"][0], 1, output["residx_atom14_to_atom37"][0].long())


class Trace(dict):
    """Intermediate states by name, filled by hooks on the reference's modules."""

    def __init__(self, recycles):
        super().__init__()
        self.recycles = recycles
        self.current = -1  # the pass being computed
        self.handles = []

    def put(self, name, tensor):
        self[name] = tensor[0].clone()  # a batch of one

    def put_pass(self, name, tensor):
        self.put(f"pass.{self.current}.{name}", tensor)

    def after(self, module, record):
        self.handles.append(module.register_forward_hook(lambda module, args, output: record(output)))

    def before(self, module, record):
        self.handles.append(module.register_forward_pre_hook(lambda module, args: record(args[0])))

    def watch_input(self, model):
        self.before(model.esm_s_mlp, lambda states: self.put("esm_s", states))
        self.before(model.trunk, lambda s: self.put("s_0", s))

    def watch_block(self, number, block):
        def put(name):
            return lambda tensor: self.put_pass(f"block.{number}.{name}", tensor)

        self.after(block.pair_to_sequence, put("pair_bias"))
        self.after(block.seq_attention, lambda output: put("seq_attention")(output[0]))
        self.after(block.mlp_seq, put("seq"))
        # Each step is given the state that the one before it left.
        self.before(block.tri_mul_out, put("pair.sequence_to_pair"))
        self.before(block.tri_mul_in, put("pair.tri_mul_out"))
        self.before(block.tri_att_start, put("pair.tri_mul_in"))
        self.before(block.tri_att_end, put("pair.tri_att_start"))
        self.before(block.mlp_pair, put("pair.tri_att_end"))
        self.after(block.mlp_pair, put("pair.mlp_pair"))

    def watch_trunk(self, trunk):
        def next_pass(_):
            self.current += 1

        def bins(value):
            if self.current > 0:  # what the pass before left; the first is given zeros
                self.put(f"pass.{self.current - 1}.recycle_bins", value)

        self.before(trunk.recycle_s_norm, next_pass)
        self.before(trunk.recycle_disto, bins)
        for number, block in enumerate(trunk.blocks):
            self.watch_block(number, block)
        self.before(trunk.trunk2sm_s, lambda s: self.put_pass("s", s))
        self.before(trunk.trunk2sm_z, lambda z: self.put_pass("z", z))

    def watch_structure(self, module):
        counts = {"ipa": 0, "state": 0}

        def put(name):
            def record(tensor):
                self.put_pass(f"structure.{counts[name] % module.config.num_blocks}.{name}", tensor)
                counts[name] += 1

            return record

        def finished(output):
            for number, frames in enumerate(output["frames"]):
                self.put_pass(f"structure.{number}.frames", frames)
            if self.current == self.recycles:
                for name in ("angles", "unnormalized_angles", "sidechain_frames"):
                    self.put_pass(f"structure.{name}", output[name][-1])

        self.after(module.layer_norm_s, lambda state: self.put_pass("structure.initial", state))
        self.after(module.ipa, put("ipa"))
        self.after(module.transition, put("state"))
        self.after(module, finished)


@contextlib.contextmanager
def trace_into(model, recycles):
    trace = Trace(recycles)
    trace.watch_input(model)
    trace.watch_trunk(model.trunk)
    trace.watch_structure(model.trunk.structure_module)
    try:
        yield trace
    finally:
        for handle in trace.handles:
            handle.remove()
