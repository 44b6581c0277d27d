//! The calibration: programs whose numbers are known. A checker that gives other numbers on these is wrong.

mod com_shaped;
mod measure;
mod priorities;
mod programs;
mod reduction;

use measure::*;
use programs::*;

#[test]
fn lazy01_all() {
    check(
        "lazy01",
        &lazy01(),
        Known {
            n: 3,
            all: 6,
            bad: 2,
            k: 6,
            p: 1.0 / 3.0,
            walks: 52,
            pct: Some([0.340, 0.340, 0.340]),
            dfs: Some(1),
            preemptions: (0, 6, 2),
            delays: (0, 1, 1),
        },
    );
}

#[test]
fn account_all() {
    check(
        "account",
        &account(),
        Known {
            n: 3,
            all: 6,
            bad: 2,
            k: 6,
            p: 1.0 / 3.0,
            walks: 52,
            pct: Some([0.330, 0.330, 0.330]),
            dfs: Some(3),
            preemptions: (0, 6, 2),
            delays: (1, 3, 1),
        },
    );
}

#[test]
fn token_ring_all() {
    check(
        "token_ring",
        &token_ring(),
        Known {
            n: 4,
            all: 24,
            bad: 4,
            k: 4,
            p: 1.0 / 6.0,
            walks: 114,
            pct: Some([0.160, 0.170, 0.160]),
            dfs: Some(8),
            preemptions: (0, 24, 4),
            delays: (2, 9, 1),
        },
    );
}

#[test]
fn deadlock01_all() {
    check(
        "deadlock01",
        &philosophers::<2>(),
        Known {
            n: 2,
            all: 6,
            bad: 2,
            k: 8,
            p: 0.5,
            walks: 30,
            pct: Some([0.000, 0.118, 0.238]),
            dfs: Some(3),
            preemptions: (1, 6, 2),
            delays: (1, 4, 1),
        },
    );
}

#[test]
fn philosophers_3_all() {
    check(
        "philosophers(3)",
        &philosophers::<3>(),
        Known {
            n: 3,
            all: 168,
            bad: 6,
            k: 12,
            p: 1.0 / 3.0,
            walks: 52,
            pct: Some([0.000, 0.043, 0.087]),
            dfs: Some(50),
            preemptions: (1, 57, 3),
            delays: (2, 32, 1),
        },
    );
}

#[test]
fn philosophers_4_all() {
    check(
        "philosophers(4)",
        &philosophers::<4>(),
        Known {
            n: 4,
            all: 98_184,
            bad: 24,
            k: 16,
            p: 0.2292,
            walks: 80,
            pct: Some([0.000, 0.010, 0.024]),
            dfs: Some(12_454),
            preemptions: (1, 512, 4),
            delays: (3, 347, 1),
        },
    );
}

#[test]
fn carter01_all() {
    check(
        "carter01",
        &carter01(),
        Known {
            n: 2,
            all: 4,
            bad: 2,
            k: 12,
            p: 0.5,
            walks: 30,
            pct: Some([0.000, 0.248, 0.426]),
            dfs: Some(2),
            preemptions: (1, 4, 2),
            delays: (1, 3, 1),
        },
    );
}

#[test]
fn bluetooth_driver_all() {
    check(
        "bluetooth_driver",
        &bluetooth_driver(),
        Known {
            n: 2,
            all: 73,
            bad: 4,
            k: 10,
            p: 0.0391,
            walks: 521,
            pct: Some([0.000, 0.050, 0.076]),
            dfs: Some(14),
            preemptions: (1, 9, 1),
            delays: (1, 5, 1),
        },
    );
}

#[test]
fn twostage_all() {
    check(
        "twostage",
        &twostage(),
        Known {
            n: 2,
            all: 8,
            bad: 1,
            k: 8,
            p: 1.0 / 16.0,
            walks: 322,
            pct: Some([0.000, 0.121, 0.174]),
            dfs: Some(4),
            preemptions: (1, 4, 1),
            delays: (1, 4, 1),
        },
    );
}

#[test]
fn wronglock_3_all() {
    check(
        "wronglock",
        &wronglock(3),
        Known {
            n: 4,
            all: 71_844,
            bad: 24_342,
            k: 18,
            p: 0.3716,
            walks: 45,
            pct: Some([0.000, 0.085, 0.127]),
            dfs: Some(79),
            preemptions: (1, 252, 66),
            delays: (1, 9, 2),
        },
    );
}

#[test]
fn reorder_3_all() {
    check(
        "reorder(2,1)",
        &reorder(2),
        Known {
            n: 3,
            all: 162,
            bad: 8,
            k: 8,
            p: 0.0494,
            walks: 410,
            pct: Some([0.000, 0.043, 0.070]),
            dfs: Some(15),
            preemptions: (1, 24, 2),
            delays: (2, 19, 3),
        },
    );
}

#[test]
fn reorder_5_all() {
    check(
        "reorder(4,1)",
        &reorder(4),
        Known {
            n: 5,
            all: 400_960,
            bad: 424,
            k: 12,
            p: 0.0302,
            walks: 676,
            pct: Some([0.000, 0.018, 0.030]),
            dfs: Some(9_781),
            preemptions: (1, 1_372, 4),
            delays: (4, 637, 15),
        },
    );
}

#[test]
fn figure_1b_all() {
    check(
        "figure 1b",
        &figure_1b(),
        Known {
            n: 2,
            all: 131_889,
            bad: 1_260,
            k: 20,
            p: 0.1230,
            walks: 158,
            pct: Some([0.000, 0.028, 0.038]),
            dfs: Some(842),
            preemptions: (1, 20, 1),
            delays: (2, 97, 6),
        },
    );
}
