"""Which dropout rate suits the Iris network best?

python sweeps/dropout.py                     # the lesson's rates 0.0, 0.1 … 1.0
python sweeps/dropout.py --num-samples 50    # 50 rates, 0 first
"""

from sweeps.driver.main import main
from sweeps.plan.sweep import Axis, Sweep

SWEEP = Sweep(
    name="dropout",
    question="Which dropout rate gives the best test accuracy, and how does the gap move?",
    axes=(
        Axis(
            name="dropout",
            lesson=tuple(step / 10 for step in range(11)),
            low=0.0,
            high=1.0,
        ),
    ),
    defaults={"lr": 0.005, "epochs": 500, "split": "random"},
    summary=(0.9, 1.0),  # the lesson's last 50 of 500 epochs
)

if __name__ == "__main__":
    main(SWEEP)
