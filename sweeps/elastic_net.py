"""Do L1 and L2 together do what neither does alone?

python sweeps/elastic_net.py                      # 5 values of L1 × 5 values of L2
python sweeps/elastic_net.py --num-samples 50     # 50 pairs, no penalty first
"""

from sweeps.driver.main import main
from sweeps.plan.sweep import Axis, Sweep

SWEEP = Sweep(
    name="elastic_net",
    question="Do L1 and L2 together change test accuracy more than either alone?",
    axes=(
        Axis(
            name="l1",
            lesson=(0.0, 0.00125, 0.0025, 0.00375, 0.005),
            low=0.0,
            high=0.005,
        ),
        Axis(
            name="l2",
            lesson=(0.0, 0.025, 0.05, 0.075, 0.1),
            low=0.0,
            high=0.1,
        ),
    ),
    defaults={"lr": 0.005, "epochs": 1000, "split": "random"},
    summary=(0.5, 0.95),
)

if __name__ == "__main__":
    main(SWEEP)
