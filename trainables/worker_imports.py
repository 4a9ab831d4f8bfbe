"""What a Ray worker needs, imported while it waits for work; see `sweeps.cluster.ray_start`."""

from trainables.lasting_imports import lasting_imports

with lasting_imports():
    import trainables.pack_run
    import trainables.trainable  # noqa: F401
