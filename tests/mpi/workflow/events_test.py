"""TensorBoard's view of a run that was stopped after its last checkpoint and started again: every step once, as in metrics.jsonl."""
import shutil
import struct
import unittest

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from workflow import WorkflowTest, metrics, run

TINY = ["model.num_layers=1", "model.hidden_size=32", "model.num_attention_heads=2", "model.ffn_hidden_size=32", "model.text_dim=8",
        "model.in_channels=4", "model.out_channels=4", "dataset.F_latents=1", "dataset.H_latents=4", "dataset.W_latents=4",
        "dataset.context_seq_len=3", "scheduler.lr_warmup_iters=1", "checkpoint.save_interval=4", "runtime.threads=1"]


def as_float32(value):
    return struct.unpack("f", struct.pack("f", value))[0]


class Events(WorkflowTest):
    def train(self, folder, iterations):
        run("wan-train", "--mock", f"checkpoint.save={folder}", f"train.train_iters={iterations}", *TINY)

    def expect_every_step_once(self, folder, iterations):
        events = EventAccumulator(str(folder / "tensorboard"), size_guidance={"scalars": 0})
        events.Reload()
        lines = metrics(folder)
        self.assertEqual([line["step"] for line in lines], list(range(1, iterations + 1)))
        for key in ("loss", "grad_norm", "lr"):
            found = [(event.step, event.value) for event in events.Scalars(f"train/{key}")]
            self.assertEqual(found, [(line["step"], as_float32(line[key])) for line in lines], key)

    def test_steps_after_the_last_checkpoint_are_replaced(self):
        folder = self.folder / "replaced"
        self.train(folder, 10)
        for later in (8, 10):
            shutil.rmtree(folder / f"iter_{later:07}")
        self.train(folder, 12)
        self.assertEqual(len(list((folder / "tensorboard").iterdir())), 2)
        self.expect_every_step_once(folder, 12)

    def test_an_event_cut_in_the_middle_hides_nothing_that_follows(self):
        folder = self.folder / "cut"
        self.train(folder, 6)
        shutil.rmtree(folder / "iter_0000006")
        (events,) = (folder / "tensorboard").iterdir()
        events.write_bytes(events.read_bytes()[:-21])
        self.train(folder, 8)
        self.expect_every_step_once(folder, 8)


if __name__ == "__main__":
    unittest.main()
