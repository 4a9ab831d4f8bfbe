"""Does L1 regularization change the Iris network's accuracy, and does it make its weights sparse?

    python sweeps/l1.py                      # the lesson's 10 values of λ from 0 to 0.005
    python sweeps/l1.py --num-samples 50     # 50 values, λ = 0 first

The penalty is λ · (1 / number of weights) · Σ|w|, biases left out.
"""

from sweeps.driver.main import main
from sweeps.plan.sweep import Axis, Sweep

SWEEP = Sweep(
    name="l1",
    question="Does L1 regularization change test accuracy, and does it make weights sparse?",
    axes=(
        Axis(
            name="l1",
            lesson=tuple(round(0.005 * step / 9, 7) for step in range(10)),
            low=0.0,
            high=0.005,
        ),
    ),
    defaults={"lr": 0.005, "epochs": 1000, "split": "random"},
    summary=(0.5, 0.95),  # epochs 500 to 950 of the lesson's 1000
)

if __name__ == "__main__":
    main(SWEEP)
