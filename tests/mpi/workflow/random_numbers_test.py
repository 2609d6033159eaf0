"""analysis/random_numbers.py, the reference for other trainers, gives what the programs draw."""
import os
import random
import subprocess
import sys
import unittest

import numpy as np

from workflow import ANALYSIS

sys.path.insert(0, str(ANALYSIS))
import random_numbers as reference  # noqa: E402

# float32 results of two mathematical libraries: a few units in the last place of radius and angle.
NORMALS = 1e-6
LEVELS = 1e-6
ADDRESSES = 400
EDGES = [0, 1, 2**31, 2**32 - 1, 2**32, 2**53 + 1, 2**63, 2**64 - 1]


def ask(questions):
    """The probe's answers, a list of numbers for each question."""
    questions = list(questions)
    done = subprocess.run([os.environ["RANDOM_PROBE"]], input="\n".join(questions) + "\n", text=True, check=True,
                          capture_output=True)
    answers = [[float(x) if "." in x or "e" in x else int(x) for x in line.split()] for line in done.stdout.splitlines()]
    assert len(answers) == len(questions)
    return answers


class RandomNumbers(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(20)

    def number(self, bits):
        edges = [edge for edge in EDGES if edge < 2**bits]
        return self.random.choice(edges) if self.random.random() < 0.2 else self.random.getrandbits(bits)

    def addresses(self):
        for _ in range(ADDRESSES):
            yield self.number(63), self.number(64), self.number(32), self.random.choice(list(reference.PURPOSE))

    def test_integers_are_equal_bit_for_bit(self):
        cases = [(*address, self.number(64)) for address in self.addresses()]
        answers = ask(f"block {s} {i} {t} {reference.PURPOSE[p]} {b}" for s, i, t, p, b in cases)
        for (seed, identity, step, purpose, block), found in zip(cases, answers):
            expected = reference.blocks(seed, identity, step, purpose, block, 1)[0].tolist()
            self.assertEqual(found, expected, (seed, identity, step, purpose, block))

    def test_normals_at_any_element(self):
        cases = [(*address, self.number(63), self.random.randint(1, 67)) for address in self.addresses()]
        answers = ask(f"normals {s} {i} {t} {reference.PURPOSE[p]} {f} {n}" for s, i, t, p, f, n in cases)
        worst = 0.0
        for (seed, identity, step, purpose, first, count), found in zip(cases, answers):
            expected = reference.normals(seed, identity, step, purpose, count, first)
            self.assertEqual(expected.dtype, np.float32)
            self.assertEqual(len(found), count)
            worst = max(worst, float(np.max(np.abs(np.array(found) - expected))))
        self.assertLessEqual(worst, NORMALS)

    def test_training_draws(self):
        cases = []
        for seed, identity, visit, _ in self.addresses():
            low, high = sorted(self.random.choice([0.0, 1.0, self.random.random()]) for _ in range(2))
            cases.append((seed, identity, visit, dict(
                sampling=self.random.choice(["uniform", "logit_normal", "mode"]), mean=self.random.uniform(-1, 1),
                std=self.random.uniform(0.1, 2), shift=self.random.uniform(0.5, 6), mix=self.random.random(),
                sigma_min=low, sigma_max=high, dropout=self.random.random())))
        answers = ask(f"draw {s} {i} {v} " + " ".join(repr(x) if isinstance(x, float) else x for x in flow.values())
                      for s, i, v, flow in cases)
        dropped = 0
        for (seed, identity, visit, flow), (sigma, timestep, weight, drop) in zip(cases, answers):
            expected = reference.training_draw(seed, identity, visit, **flow)
            self.assertAlmostEqual(sigma, float(expected[0]), delta=LEVELS)
            self.assertAlmostEqual(timestep, float(expected[1]), delta=1000 * LEVELS)
            self.assertAlmostEqual(weight, 1 + flow["shift"] * sigma, delta=6 * LEVELS)
            self.assertEqual(bool(drop), expected[2])
            dropped += drop
        self.assertGreater(dropped, 0)
        self.assertLess(dropped, len(cases))

    def test_levels_of_validation(self):
        cases = [(self.number(63), self.number(64), self.random.uniform(0.5, 6)) for _ in range(ADDRESSES)]
        for case, (sigma,) in zip(cases, ask("level " + " ".join(map(repr, case)) for case in cases)):
            self.assertAlmostEqual(sigma, float(reference.validation_sigma(*case[:2], shift=case[2])), delta=LEVELS)

    def test_order_of_an_epoch(self):
        cases = []
        for size in [1, 2, 3, 17, 500]:
            ids = list({self.random.getrandbits(64) for _ in range(size)})
            cases += [(self.number(63), self.number(20), ids) for _ in range(4)]
        answers = ask(f"order {seed} {epoch} " + " ".join(map(str, ids)) for seed, epoch, ids in cases)
        for (seed, epoch, ids), found in zip(cases, answers):
            self.assertEqual(found, reference.epoch_order(seed, ids, epoch))
            self.assertEqual(sorted(found), list(range(len(ids))))


if __name__ == "__main__":
    unittest.main()
