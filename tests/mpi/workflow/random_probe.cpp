// Answers questions about the programs' random numbers, one a line of standard input, so that a test can hold
// analysis/random_numbers.py equal to them:
//   block SEED ID STEP PURPOSE BLOCK                            four integers
//   normals SEED ID STEP PURPOSE FIRST COUNT                    COUNT normals
//   draw SEED ID VISIT SAMPLING MEAN STD SHIFT MIX LOW HIGH DROPOUT   sigma, timestep, weight, text is
//   dropped level SEED ID SHIFT                                         a validation sample's sigma order
//   SEED EPOCH ID...                                      indices in the order of the epoch
#include <iomanip>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/philox.hpp"
#include "data/packing.hpp"
#include "train/flow_matching.hpp"

namespace {

/// Samples of which only the ids matter.
class Ids : public wan::SampleSource {
 public:
  explicit Ids(std::vector<std::uint64_t> ids) : ids_(std::move(ids)) {}
  [[nodiscard]] std::int64_t size() const override { return static_cast<std::int64_t>(ids_.size()); }
  [[nodiscard]] wan::SampleInfo info(std::int64_t index) const override {
    return {ids_[static_cast<std::size_t>(index)], {16, 1, 2, 2}, 1};
  }
  void read(std::int64_t, float*, float*) const override {}
  [[nodiscard]] std::int64_t text_width() const override { return 1; }
  [[nodiscard]] const wan::TextEmbedding& null_text() const override { return null_text_; }

 private:
  std::vector<std::uint64_t> ids_;
  wan::TextEmbedding null_text_;
};

wan::RandomKey read_key(std::istream& in) {
  std::uint64_t seed = 0;
  std::uint64_t id = 0;
  std::uint32_t step = 0;
  std::uint32_t purpose = 0;
  in >> seed >> id >> step >> purpose;
  return wan::random_key(seed, id, step, static_cast<wan::Purpose>(purpose));
}

wan::FlowMatching read_flow(std::istream& in) {
  wan::FlowMatching flow;
  std::string sampling;
  in >> sampling >> flow.logit_mean >> flow.logit_std >> flow.flow_shift >> flow.mix_uniform_ratio >>
      flow.sigma_min >> flow.sigma_max >> flow.text_dropout;
  flow.timestep_sampling = sampling == "uniform"        ? wan::TimestepSampling::uniform
                           : sampling == "logit_normal" ? wan::TimestepSampling::logit_normal
                                                        : wan::TimestepSampling::mode;
  return flow;
}

void answer(std::istream& in, const std::string& question) {
  std::uint64_t seed = 0;
  std::uint64_t id = 0;
  if (question == "block") {
    const wan::RandomKey key = read_key(in);
    std::uint64_t block = 0;
    in >> block;
    for (const std::uint32_t word : wan::philox(key, block).v) std::cout << word << ' ';
  } else if (question == "normals") {
    const wan::RandomKey key = read_key(in);
    std::uint64_t first = 0;
    std::int64_t count = 0;
    in >> first >> count;
    std::vector<float> values(static_cast<std::size_t>(count));
    wan::fill_normal(key, first, count, values.data());
    for (const float value : values) std::cout << value << ' ';
  } else if (question == "draw") {
    std::uint32_t visit = 0;
    in >> seed >> id >> visit;
    const wan::FlowDraw draw = wan::draw_flow(read_flow(in), seed, id, visit);
    std::cout << draw.sigma << ' ' << draw.timestep << ' ' << draw.weight << ' ' << draw.drop_text;
  } else if (question == "level") {
    wan::FlowMatching flow;
    in >> seed >> id >> flow.flow_shift;
    std::cout << wan::validation_flow(flow, seed, id).sigma;
  } else if (question == "order") {
    std::int64_t epoch = 0;
    in >> seed >> epoch;
    std::vector<std::uint64_t> ids;
    while (in >> id) ids.push_back(id);
    for (const std::int64_t index : wan::epoch_order(Ids(ids), seed, epoch)) std::cout << index << ' ';
  } else {
    throw std::runtime_error("unknown question " + question);
  }
  std::cout << '\n';
}

}  // namespace

int main() {
  std::cout << std::setprecision(9);
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream in(line);
    std::string question;
    in >> question;
    answer(in, question);
  }
}
