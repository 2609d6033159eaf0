#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "comm/dry_run.hpp"
#include "device/ops/plan/plan_ops.hpp"
#include "model/dump_compare.hpp"
#include "support/temporary_folder.hpp"
#include "support/tensors.hpp"
#include "unit/dit/samples.hpp"

// The ways through the model that must give the same numbers.

namespace wan {
namespace {

using test::DitHarness;
using test::DitSample;
using test::relative_l2;
using test::small_config;

std::vector<DitSample> some_samples() {
  return {test::random_sample(small_config(), {2, 2, 3}, 700, 9, 10),
          test::random_sample(small_config(), {1, 4, 3}, 30, 0, 20)};
}

class Paths : public ::testing::TestWithParam<DType> {
 protected:
  Paths()
      : harness_(test::test_device(), small_config(), GetParam()),
        target_(test::random_target(small_config(), some_samples(), 5)) {
    harness_.initialise(1);
    harness_.perturb(2, 0.1F);
  }

  DitHarness harness_;
  std::vector<float> target_;
};
INSTANTIATE_TEST_SUITE_P(both, Paths, ::testing::Values(DType::f32, DType::bf16));

TEST_P(Paths, inference_is_the_training_forward_bit_for_bit_with_and_without_text_cache) {
  const std::vector<float> trained = harness_.train(some_samples(), target_, 1).prediction;
  EXPECT_EQ(harness_.predict(some_samples(), false), trained);
  EXPECT_EQ(harness_.predict(some_samples(), true), trained);
}

TEST_P(Paths, a_predict_in_two_parts_is_that_in_one_bit_for_bit) {
  EXPECT_EQ(harness_.predict_at_once(some_samples(), true), harness_.predict_at_once(some_samples(), false));
}

/// Every policy for all blocks, and two that share them.
const std::vector<RecomputePlan>& all_plans() {
  static const std::vector<RecomputePlan> plans = {Recompute::none,
                                                   Recompute::norms,
                                                   Recompute::keep_attention,
                                                   Recompute::full,
                                                   {Recompute::keep_attention, 1, Recompute::norms},
                                                   {Recompute::full, 1, Recompute::none}};
  return plans;
}

// In bf16 the activation that norms makes again is that of the stored pre-activation, which was rounded: it
// reaches only the gradient of the matrix after it.
TEST_P(Paths, recomputing_gives_the_same_gradients_bit_for_bit) {
  const DitHarness::Result kept = harness_.train(some_samples(), target_, 1, {Recompute::none, {}, false});
  for (const RecomputePlan& plan : all_plans()) {
    SCOPED_TRACE(cat(name_of(plan.policy), " ", name_of(plan.rest)));
    const DitHarness::Result again = harness_.train(some_samples(), target_, 1, {plan, {}, false});
    EXPECT_EQ(again.prediction, kept.prediction);
    const bool norms = plan.policy == Recompute::norms || plan.rest == Recompute::norms;
    for (const auto& [name, gradient] : kept.gradient) {
      if (GetParam() == DType::bf16 && norms && name.find("ffn.net.2.weight") != std::string::npos) {
        EXPECT_LE(relative_l2(again.gradient.at(name), gradient), 4e-3) << name;
      } else {
        EXPECT_EQ(again.gradient.at(name), gradient) << name;
      }
    }
  }
}

TEST_P(Paths, each_policy_takes_less_memory_than_the_one_before) {
  DitConfig deep = small_config();
  deep.num_layers = 12;
  const Dit dit(deep, GetParam());
  const PackCapacity capacity = {4096, 20, 2};
  PlanOps plan;
  const auto bytes = [&](const RecomputePlan& recompute) {
    return dit.train_bytes(plan, capacity, 16, recompute);
  };
  EXPECT_LT(1.4 * static_cast<double>(bytes(Recompute::norms)), bytes(Recompute::none));
  EXPECT_LT(2 * bytes(Recompute::keep_attention), bytes(Recompute::norms));
  EXPECT_LT(1.2 * static_cast<double>(bytes(Recompute::full)), bytes(Recompute::keep_attention));
  std::int64_t before = bytes({Recompute::full, 2, Recompute::none});
  for (std::int64_t layers = 3; layers <= deep.num_layers; ++layers) {
    const std::int64_t now = bytes({Recompute::full, layers, Recompute::none});
    EXPECT_LT(now, before) << layers;
    before = now;
  }
}

TEST_P(Paths, parts_one_by_one_are_the_whole_bit_for_bit) {
  for (const RecomputePlan& recompute : all_plans()) {
    const DitHarness::Result whole = harness_.train(some_samples(), target_, 1, {recompute, {}, false});
    const DitHarness::Result parts = harness_.train(some_samples(), target_, 1, {recompute, {}, true});
    EXPECT_EQ(parts.prediction, whole.prediction);
    EXPECT_EQ(parts.gradient, whole.gradient);
  }
}

TEST_P(Paths, one_zero_row_stands_for_all_padded_text_rows) {
  const DitConfig config = small_config();
  const DitSample brief = test::random_sample(config, {2, 2, 3}, 700, 37, 10);
  DitSample padded = brief;
  padded.text_length = 512;
  padded.text.resize(static_cast<std::size_t>(512 * config.text_dim), 0.0F);
  const std::vector<float> target = test::random_target(config, {brief}, 6);
  const DitHarness::Result shortcut = harness_.train({brief}, target, 1);
  const DitHarness::Result explicit_rows = harness_.train({padded}, target, 1);
  const bool exact = GetParam() == DType::f32;
  EXPECT_LE(relative_l2(shortcut.prediction, explicit_rows.prediction), exact ? 5e-6 : 1e-2);
  EXPECT_LE(relative_l2(test::whole_gradient(shortcut), test::whole_gradient(explicit_rows)),
            exact ? 1e-5 : 3e-2);
}

TEST_P(Paths, a_pack_within_capacity_fits_the_planned_arena) {
  const Dit dit(small_config(), GetParam());
  PlanOps plan;
  for (const RecomputePlan& recompute : all_plans()) {
    const std::int64_t planned = dit.train_bytes(plan, {200, 300, 9}, 16, recompute);
    for (const PackCapacity& smaller :
         {PackCapacity{199, 299, 8}, PackCapacity{30, 300, 1}, PackCapacity{200, 9, 9}}) {
      EXPECT_LE(dit.train_bytes(plan, smaller, 16, recompute), planned);
    }
  }
  EXPECT_LT(dit.predict_bytes(plan, {200, 300, 9}, 16),
            dit.train_bytes(plan, {200, 300, 9}, 16, Recompute::none));
}

TEST(dit, planning_a_large_model_needs_no_memory_and_counts_what_blocks_keep) {
  DitConfig large;
  large.num_attention_heads = 40;
  large.attention_head_dim = 128;
  large.num_layers = 40;
  large.ffn_dim = 13824;
  const Dit dit(large, DType::bf16);
  EXPECT_EQ(dit.parameters().elements(), 14288491584);
  PlanOps plan;
  const std::int64_t tokens = 32760;
  const std::int64_t bytes = dit.train_bytes(plan, {tokens, 512, 1}, 128, Recompute::none);
  // Per token and block 17 rows of C and 2 of F, in bf16; what is outside the blocks adds a little.
  const std::int64_t kept = tokens * large.num_layers * (17 * large.dim() + 2 * large.ffn_dim) * 2;
  EXPECT_GT(bytes, kept);
  EXPECT_LT(bytes, kept + kept / 20);
}

/// Remembers what it was told, and the gradient of each unit when it was said to be ready.
struct Recorder : UnitHooks {
  explicit Recorder(const Parameters& all) : parameters(all) {}
  void acquire(int unit, Pass pass) override { note("acquire", unit, pass); }
  void release(int unit, Pass pass) override { note("release", unit, pass); }
  void grad_ready(int unit, bool last_microbatch) override {
    events.push_back("ready " + std::to_string(unit) + (last_microbatch ? " last" : ""));
    const ParameterUnit& ready = parameters.unit(static_cast<std::size_t>(unit));
    gradients[unit] = test::values_of(test::test_device(), ready.gradients());
  }
  void note(const char* what, int unit, Pass pass) {
    const char* passes[] = {" forward", " recompute", " backward"};
    events.push_back(what + (" " + std::to_string(unit)) + passes[static_cast<int>(pass)]);
  }

  const Parameters& parameters;
  std::vector<std::string> events;
  std::map<int, std::vector<float>> gradients;
};

TEST_P(Paths, hooks_surround_each_unit_and_gradients_are_complete_when_ready) {
  Recorder recorder(harness_.dit().parameters());
  (void)harness_.train(some_samples(), target_, 1, {Recompute::full, {nullptr, &recorder}, false});
  const std::vector<std::string> expected = {
      "acquire 0 forward",   "release 0 forward",   "acquire 1 forward",  "release 1 forward",
      "acquire 2 forward",   "release 2 forward",   "acquire 3 forward",  "release 3 forward",
      "acquire 3 backward",  "release 3 backward",  "ready 3 last",       "acquire 2 recompute",
      "release 2 recompute", "acquire 2 backward",  "release 2 backward", "ready 2 last",
      "acquire 1 recompute", "release 1 recompute", "acquire 1 backward", "release 1 backward",
      "ready 1 last",        "acquire 0 backward",  "release 0 backward", "ready 0 last"};
  EXPECT_EQ(recorder.events, expected);
  for (const auto& [unit, gradient] : recorder.gradients) {
    EXPECT_EQ(gradient,
              test::values_of(test::test_device(),
                              recorder.parameters.unit(static_cast<std::size_t>(unit)).gradients()));
  }
}

TEST_P(Paths, a_dump_names_every_activation_and_gradient_and_repeats_exactly) {
  const test::TemporaryFolder folder;
  for (const char* name : {"a", "b"}) {
    Dump dump(test::test_device(), folder / name);
    (void)harness_.train(some_samples(), target_, 1, {Recompute::none, {&dump, nullptr}, false});
  }
  const std::vector<DumpDifference> differences = compare_dumps(folder / "a", folder / "b");
  EXPECT_GT(differences.size(), 40U);
  for (const DumpDifference& d : differences) {
    EXPECT_EQ(d.mismatch, "") << d.name;
    EXPECT_EQ(d.max_abs, 0) << d.name;
  }
}

TEST(dit, refuses_what_it_cannot_run) {
  DitConfig image = small_config();
  image.added_kv_proj_dim = 48;
  EXPECT_THROW(Dit(image, DType::f32), DataError);
  DitConfig odd = small_config();
  odd.attention_head_dim = 7;
  EXPECT_THROW(Dit(odd, DType::f32), DataError);
  DitConfig near = small_config();
  near.rope_max_seq_len = 3;
  DitHarness harness(test::test_device(), near, DType::f32);
  EXPECT_THROW((void)harness.predict({test::random_sample(near, {1, 1, 4}, 0, 0, 1)}, false), Error);
  dry_run(2, [](const Communicator& ranks) {
    EXPECT_THROW(Dit(small_config(), DType::f32, {ranks, {}}), ConfigError);
    EXPECT_THROW(Dit(small_config(), DType::f32, {{}, ranks}), ConfigError);
  });
}

}  // namespace
}  // namespace wan
