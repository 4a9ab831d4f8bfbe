"""What a Ray Tune trial computes on, and whether this process could use a GPU at all."""

from __future__ import annotations


def granted_device(granted: bool, gpu_share: float) -> tuple[str, str]:
    """The torch device that this process was granted by Ray, and its name for the record.

    What was granted decides, not what torch can see: Ray leaves GPUs visible to trials that asked
    for none. Ray's fractions are bookkeeping only, so the share of memory is enforced here.
    """
    if not granted:
        return "cpu", "cpu"
    import torch

    if why := why_no_cuda():
        raise RuntimeError(
            f"Ray granted this trial {gpu_share:g} of a GPU, but {why}: install a CUDA build of "
            "torch on this node"
        )
    if gpu_share < 1:
        torch.cuda.set_per_process_memory_fraction(gpu_share)
    return "cuda", torch.cuda.get_device_name()


def why_no_cuda() -> str:
    """Why torch cannot use a GPU here; empty when it can."""
    import torch

    if torch.version.cuda is None:
        return f"torch {torch.__version__} is a build without CUDA"
    return "" if torch.cuda.is_available() else f"torch {torch.__version__} finds no CUDA device"
