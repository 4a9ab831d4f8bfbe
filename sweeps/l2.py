"""Does L2 regularization (weight decay) help the Iris network, and when is it too strong?

    python sweeps/l2.py                      # the lesson's 7 values of λ from 0 to 0.1
    python sweeps/l2.py --num-samples 50     # 50 values, λ = 0 first

λ is PyTorch's `weight_decay`: the penalty is (λ/2)·Σw², half of the λ·Σw² in the lesson's formula.
"""

from sweeps.driver.main import main
from sweeps.plan.sweep import Axis, Sweep

SWEEP = Sweep(
    name="l2",
    question="Does L2 regularization change test accuracy, and when is λ too strong?",
    axes=(
        Axis(
            name="l2",
            lesson=(0.0, 0.016667, 0.033333, 0.05, 0.066667, 0.083333, 0.1),
            low=0.0,
            high=0.1,
        ),
    ),
    defaults={"lr": 0.005, "epochs": 1000, "split": "random"},
    summary=(0.5, 0.95),  # epochs 500 to 950 of the lesson's 1000
)

if __name__ == "__main__":
    main(SWEEP)
