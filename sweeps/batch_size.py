"""How does the batch size change the speed of learning and the final accuracy?

    python sweeps/batch_size.py                      # the lesson's sizes 2, 4, 8, 16, 32, 64
    python sweeps/batch_size.py --num-samples 3      # 3 of them, 16 first

All sizes train for the same number of epochs, so small ones make many more updates.
"""

from sweeps.driver.main import main
from sweeps.plan.sweep import Axis, Sweep

SWEEP = Sweep(
    name="batch_size",
    question="How does the batch size change the speed of learning and the final accuracy?",
    axes=(
        Axis(
            name="batch_size",
            lesson=(2, 4, 8, 16, 32, 64),
            choices=(2, 4, 8, 16, 32, 64),
            baseline=16,
        ),
    ),
    defaults={"lr": 0.001, "epochs": 500, "split": "random"},
    summary=(0.9, 1.0),
)

if __name__ == "__main__":
    main(SWEEP)
