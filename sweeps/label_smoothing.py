"""Does label smoothing help the Iris network, and when is it too much?

    python sweeps/label_smoothing.py                      # 6 values from 0 to 0.5
    python sweeps/label_smoothing.py --num-samples 50     # 50 values, 0 first

Training aims at 1 - ε + ε / classes for a row's class and at ε / classes for each other one. The
lesson does not have it: expected is little change in accuracy, since the scores keep their order,
and a higher loss, which is taken at the labels themselves and so counts the doubt.
"""

from sweeps.driver.main import main
from sweeps.plan.sweep import Axis, Sweep

SWEEP = Sweep(
    name="label_smoothing",
    question="Does label smoothing change test accuracy, and when is it too much?",
    axes=(
        Axis(
            name="label_smoothing",
            lesson=(0.0, 0.1, 0.2, 0.3, 0.4, 0.5),
            low=0.0,
            high=0.5,
        ),
    ),
    defaults={"lr": 0.005, "epochs": 500, "split": "random"},
    summary=(0.9, 1.0),
)

if __name__ == "__main__":
    main(SWEEP)
