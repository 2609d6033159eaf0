#include "train/flow_step.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.hpp"
#include "comm/agree.hpp"
#include "comm/dry_run.hpp"
#include "config/train_config.hpp"
#include "data/mock.hpp"
#include "support/reference_device.hpp"
#include "support/tensors.hpp"
#include "train/validation.hpp"
#include "unit/dit/samples.hpp"

namespace wan {
namespace {

using test::DitHarness;
using test::DitSample;
using test::relative_l2;
using test::test_device;

constexpr std::uint64_t seed = 1234;
constexpr std::uint64_t validation_seed = 42;

/// A preset as NeMo DFM's pretrain_wan.py has it, in numbers of the test's own.
struct Preset {
  const char* name;
  TrainingMode mode;
  double shift;
  double normal_std;  ///< 0: u is uniform
  double mix;
};

struct Case {
  Preset preset;
  DType storage;
  double loss;      ///< allowed relative difference of a sample's loss
  double gradient;  ///< of the whole gradient in the Euclidean norm
};

constexpr Preset pretrain = {"pretrain", TrainingMode::pretrain, 2.5, 1.5, 0.2};
constexpr Preset finetune = {"finetune", TrainingMode::finetune, 3.0, 0.0, 0.0};
// As packs against their samples one by one: fp32 sums in another order; bf16 rounds every operation, and the
// text before it enters here.
constexpr Case cases[] = {{pretrain, DType::f32, 5e-6, 1e-5},
                          {finetune, DType::f32, 5e-6, 1e-5},
                          {pretrain, DType::bf16, 1e-2, 3e-2}};

double uniform(std::uint32_t word) {
  return ((word >> 8) + 0.5) / 16777216.0;
}

double shifted(double shift, double u) {
  u = std::max(u, 1e-5);
  return shift * u / (1 + (shift - 1) * u);
}

/// The formulas of analysis/random_numbers.md once more, in fp64.
double training_sigma(const Preset& preset, std::uint64_t id, std::uint32_t visit) {
  const Random4 r = philox(random_key(seed, id, visit, Purpose::sigma), 0);
  if (preset.normal_std == 0 || uniform(r.v[0]) < preset.mix) return shifted(preset.shift, uniform(r.v[1]));
  const double radius = std::sqrt(-2 * std::log(((r.v[2] >> 8) + 1) / 16777216.0));
  const double normal = radius * std::cos(2 * M_PI * (r.v[3] >> 8) / 16777216.0);
  return shifted(preset.shift, 1 / (1 + std::exp(-preset.normal_std * normal)));
}

bool text_dropped(std::uint64_t id, std::uint32_t visit) {
  return uniform(philox(random_key(seed, id, visit, Purpose::text_dropout), 0).v[0]) < 0.1;
}

double validation_sigma(const Preset& preset, std::uint64_t id) {
  const Random4 r = philox(random_key(validation_seed, id, 0, Purpose::validation_sigma), 0);
  return shifted(preset.shift, uniform(r.v[0]));
}

/// What the network must see of one sample, and what is wanted of it.
struct Expected {
  double sigma = 0;
  DitSample input;
  std::vector<float> target;
};

class flow_step : public ::testing::TestWithParam<Case> {
 protected:
  flow_step()
      : harness_(test_device(), test::small_config(), GetParam().storage),
        null_text_{3, width, test::normals(77, 3 * width)} {
    harness_.initialise(1);
    // A zero head would hide every gradient but its own.
    harness_.perturb(2, 0.1F);
    options_.flow = config_of(GetParam().preset.mode).flow_matching;
    options_.seed = seed;
    options_.validation_seed = validation_seed;
    options_.bounds = {64, 64, 5};
  }

  static TrainConfig config_of(TrainingMode mode) {
    TrainConfig config;
    apply_preset(config, mode);
    return config;
  }

  /// Samples of five shapes and text lengths at visit 6, the second and the fourth with dropped text.
  static HostPack mixed_pack() {
    const std::int64_t texts[] = {5, 1, 0, 9, 3};
    HostPack pack;
    pack.text_width = width;
    std::uint64_t id = 100;
    for (std::int64_t s = 0; s < 5; ++s) {
      while (text_dropped(++id, 6) != (s == 1 || s == 3)) {
      }
      const LatentShape latent{4, 1 + s % 3, 2 * (1 + s % 2), 2 * (1 + s)};
      pack.samples.push_back({id, 6, latent, texts[s]});
      const std::vector<float> values = test::normals(id, latent.elements());
      const std::vector<float> text = test::normals(id + 1000, texts[s] * width);
      pack.latents.insert(pack.latents.end(), values.begin(), values.end());
      pack.text.insert(pack.text.end(), text.begin(), text.end());
    }
    return pack;
  }

  /// Samples [first, last) of a pack.
  static HostPack part_of(const HostPack& pack, std::size_t first, std::size_t last) {
    HostPack part;
    part.text_width = pack.text_width;
    auto latent = pack.latents.begin();
    auto text = pack.text.begin();
    for (std::size_t s = 0; s < last; ++s) {
      const auto latent_end = latent + pack.samples[s].latent.elements();
      const auto text_end = text + pack.samples[s].text_rows * pack.text_width;
      if (s >= first) {
        part.samples.push_back(pack.samples[s]);
        part.latents.insert(part.latents.end(), latent, latent_end);
        part.text.insert(part.text.end(), text, text_end);
      }
      latent = latent_end;
      text = text_end;
    }
    return part;
  }

  [[nodiscard]] Expected expected_of(const HostPack& one, bool validation) const {
    const HostSample& sample = one.samples.at(0);
    const auto visit = static_cast<std::uint32_t>(sample.visit);
    Expected out;
    out.sigma = validation ? validation_sigma(GetParam().preset, sample.id)
                           : training_sigma(GetParam().preset, sample.id, visit);
    std::vector<float> noise(one.latents.size());
    const RandomKey key = validation ? random_key(validation_seed, sample.id, 0, Purpose::validation_noise)
                                     : random_key(seed, sample.id, visit, Purpose::noise);
    fill_normal(key, 0, sample.latent.elements(), noise.data());
    for (std::size_t i = 0; i < noise.size(); ++i) {
      const double clean = one.latents[i];
      out.input.latent.push_back(static_cast<float>((1 - out.sigma) * clean + out.sigma * noise[i]));
      out.target.push_back(static_cast<float>(noise[i] - clean));
    }
    out.input.grid = {sample.latent.frames, sample.latent.height / 2, sample.latent.width / 2};
    out.input.timestep = static_cast<float>(1000 * out.sigma);
    const bool dropped = !validation && text_dropped(sample.id, visit);
    out.input.text_length = dropped ? null_text_.rows : sample.text_rows;
    out.input.text = dropped ? null_text_.values : one.text;
    return out;
  }

  void expect_loss(const SampleLoss& found, const Expected& expected, const std::vector<float>& prediction) {
    double raw = 0;
    for (std::size_t i = 0; i < prediction.size(); ++i) {
      const double difference = static_cast<double>(prediction[i]) - expected.target[i];
      raw += difference * difference;
    }
    EXPECT_NEAR(found.sigma, expected.sigma, 1e-6);
    EXPECT_EQ(found.elements, static_cast<std::int64_t>(expected.target.size()));
    EXPECT_NEAR(found.raw, raw, GetParam().loss * raw);
    EXPECT_NEAR(found.weighted, found.raw * (1 + GetParam().preset.shift * expected.sigma),
                3e-6 * found.weighted);
  }

  [[nodiscard]] std::vector<float> gradient() const {
    DitHarness::Result result;
    for (const ParameterUnit& unit : harness_.dit().parameters().units()) {
      for (std::size_t i = 0; i < unit.parameters().size(); ++i) {
        result.gradient[unit.parameters()[i].spec.name] =
            test::values_of(test_device(), unit.gradient(static_cast<int>(i)));
      }
    }
    return test::whole_gradient(result);
  }

  static constexpr std::int64_t width = 16;  ///< small_config's text_dim
  DitHarness harness_;
  TextEmbedding null_text_;
  FlowStep::Options options_;
};

INSTANTIATE_TEST_SUITE_P(cases, flow_step, ::testing::ValuesIn(cases), [](const auto& one) {
  return std::string(one.param.preset.name) + "_" + name_of(one.param.storage);
});

// Two micro batches of a step whose other tokens are on other ranks: every sample gets its own level, noise,
// text and weight, and the gradient is that of sum w_s |v_s - (noise - clean)|^2 over all the step's
// elements.
TEST_P(flow_step, losses_and_gradient_are_those_of_the_formulas) {
  FlowStep step(test_device(), harness_.dit(), null_text_, options_);
  const HostPack pack = mixed_pack();
  const std::int64_t step_tokens = 3 * pack.tokens();
  harness_.dit().parameters().zero_gradients(test_device());
  step.accumulate({part_of(pack, 0, 3), 0, step_tokens, false});
  step.accumulate({part_of(pack, 3, 5), 0, step_tokens, true});
  EXPECT_EQ(step.device_losses().elements(), 2);
  const std::vector<SampleLoss> losses = step.take_losses();
  EXPECT_TRUE(step.take_losses().empty());
  ASSERT_EQ(losses.size(), 5U);
  const std::vector<float> found = gradient();

  std::vector<float> expected_gradient(found.size(), 0.0F);
  std::set<float> levels;
  for (std::size_t s = 0; s < 5; ++s) {
    SCOPED_TRACE(s);
    const Expected expected = expected_of(part_of(pack, s, s + 1), false);
    const double weight = 1 + GetParam().preset.shift * expected.sigma;
    // A token is a patch of 1 x 2 x 2 in 4 channels.
    const double elements = static_cast<double>(step_tokens * 16);
    const DitHarness::Result alone = harness_.train({expected.input}, expected.target, weight / elements);
    expect_loss(losses[s], expected, alone.prediction);
    const std::vector<float> part = test::whole_gradient(alone);
    std::transform(part.begin(), part.end(), expected_gradient.begin(), expected_gradient.begin(),
                   std::plus<>());
    levels.insert(losses[s].sigma);
  }
  EXPECT_LE(relative_l2(found, expected_gradient), GetParam().gradient);
  EXPECT_EQ(levels.size(), 5U) << "one level per sample";
}

TEST_P(flow_step, validation_is_fixed_keeps_the_text_and_leaves_no_gradient) {
  FlowStep step(test_device(), harness_.dit(), null_text_, options_);
  HostPack pack = mixed_pack();
  harness_.dit().parameters().zero_gradients(test_device());
  const std::vector<SampleLoss> losses = step.evaluate(pack);
  ASSERT_EQ(losses.size(), 5U);
  const std::vector<float> left = gradient();
  EXPECT_EQ(left, std::vector<float>(left.size(), 0.0F));
  // The visit is of no account, and neither is what was trained on in between.
  for (HostSample& sample : pack.samples) sample.visit = 9;
  step.accumulate({pack, 5, pack.tokens(), true});
  EXPECT_EQ(step.take_losses().size(), 5U);
  const std::vector<SampleLoss> again = step.evaluate(pack);
  for (std::size_t s = 0; s < 5; ++s) {
    SCOPED_TRACE(s);
    const Expected expected = expected_of(part_of(pack, s, s + 1), true);
    expect_loss(losses[s], expected, harness_.predict({expected.input}, false));
    EXPECT_EQ(again[s].raw, losses[s].raw);
    EXPECT_EQ(again[s].sigma, losses[s].sigma);
  }
}

// Shared out to more ranks than there are forwards, and asked for more samples than there are.
TEST(validation, is_the_same_on_any_number_of_ranks) {
  const MockDataset source(3, 7, {4, 2, 4, 6}, 5, 16);
  const auto measure = [&](Device& device, const Communicator& ranks) {
    DitHarness harness(device, test::small_config(), DType::f32);
    harness.initialise(1);
    harness.perturb(2, 0.1F);
    FlowStep step(device, harness.dit(), source.null_text(), {{}, seed, validation_seed, {24, 12, 2}});
    // Four forwards, whoever does them; a watchdog must hear of each.
    int forwards = 0;
    LossTotals totals = validate(step, source, 9, 2, {0.5}, ranks, [&] { ++forwards; });
    EXPECT_EQ(sum_over(ranks, std::int64_t{forwards}), 4);
    return totals;
  };
  const LossTotals alone = measure(test_device(), Communicator());
  EXPECT_EQ(alone.samples(), 7);
  Json expected;
  alone.write(expected);
  for (const int ranks : {2, 5}) {
    dry_run(ranks, [&](const Communicator& comm) {
      test::ReferenceDevice device(test_device());
      const LossTotals totals = measure(device, comm);
      EXPECT_EQ(totals.samples(), 7);
      Json found;
      totals.write(found);
      // Fast and reference ops differ by the sums' order.
      for (const auto& [key, value] : expected.as_object()) {
        EXPECT_NEAR(found.at(key).as_number(), value.as_number(), 5e-6 * value.as_number()) << key;
      }
    });
  }
}

TEST_P(flow_step, refuses_texts_of_another_width) {
  FlowStep step(test_device(), harness_.dit(), null_text_, options_);
  HostPack pack = part_of(mixed_pack(), 0, 1);
  pack.text_width = 2 * width;
  pack.text.resize(pack.text.size() * 2);
  try {
    step.accumulate({pack, 1, pack.tokens(), true});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::data);
    EXPECT_NE(std::string(error.what()).find("32 wide, the model's text_dim is 16"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace wan
