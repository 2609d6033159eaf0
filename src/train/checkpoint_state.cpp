#include "train/checkpoint_state.hpp"

#include <array>
#include <map>

#include "base/text.hpp"

namespace wan {
namespace {

struct StatePlace {
  OptimizerState state;
  checkpoint::FileKind file;
  const char* folder;
};

constexpr const char* weights_folder = "/transformer/";
constexpr const char* average_folder = "/ema/transformer/";
constexpr const char* master_folder = "/master/transformer/";

constexpr std::array<StatePlace, 5> places = {
    {{OptimizerState::weights, checkpoint::FileKind::model, weights_folder},
     {OptimizerState::average, checkpoint::FileKind::model, average_folder},
     {OptimizerState::master, checkpoint::FileKind::optim, master_folder},
     {OptimizerState::exp_avg, checkpoint::FileKind::optim, "/exp_avg/transformer/"},
     {OptimizerState::exp_avg_sq, checkpoint::FileKind::optim, "/exp_avg_sq/transformer/"}}};

ShardSpec part_of(const OptimizerPiece& piece) {
  return ShardSpec::whole(piece.spec->shape).flat_range(piece.first, piece.first + piece.values.elements());
}

/// Where a weight stands unrounded.
std::string exact_path(const checkpoint::Checkpoint& from, const std::string& name) {
  const std::string master = master_folder + name;
  return from.find(master) == nullptr ? weights_folder + name : master;
}

/// Fills this rank's pieces of one state; `path_of` gives the path of a tensor by name, "" to leave it.
template <class PathOf>
void load(Device& device, const checkpoint::Checkpoint& from, const std::vector<OptimizerPiece>& pieces,
          const PathOf& path_of) {
  std::vector<float> host;
  for (const OptimizerPiece& piece : pieces) {
    const std::string path = path_of(piece.spec->name);
    if (path.empty()) continue;
    host.resize(static_cast<std::size_t>(piece.values.elements()));
    from.read(path, part_of(piece), DType::f32, host.data());
    device.copy(piece.values.data, host.data(), piece.values.bytes());
    device.synchronize();
  }
}

}  // namespace

std::vector<StatePart> state_parts(const ZeroOptimizer& optimizer) {
  std::vector<StatePart> parts;
  for (const StatePlace& place : places) {
    for (const OptimizerPiece& piece : optimizer.pieces(place.state)) {
      parts.push_back({place.file, place.folder + piece.spec->name, part_of(piece), piece.values});
    }
  }
  return parts;
}

void load_weights(Device& device, const checkpoint::Checkpoint& from, const Parameters& parameters,
                  ZeroOptimizer& optimizer) {
  parameters.load(device, [&](const ParameterSpec& spec, float* to) {
    const Parameters::Place place = parameters.find(spec.name);
    const bool exact = place.unit->weight(place.parameter).dtype == DType::f32;
    const std::string path = exact ? exact_path(from, spec.name) : weights_folder + spec.name;
    from.read(path, ShardSpec::whole(spec.shape), DType::f32, to);
  });
  optimizer.adopt_weights();
  const auto exact = [&](const std::string& name) { return exact_path(from, name); };
  load(device, from, optimizer.pieces(OptimizerState::master), exact);
  load(device, from, optimizer.pieces(OptimizerState::average), exact);
  optimizer.publish_masters();
}

void take_weights(Device& device, const Parameters::Source& source, const Parameters& parameters,
                  ZeroOptimizer& optimizer) {
  std::map<std::string, std::vector<OptimizerPiece>> pieces;
  for (const OptimizerState state : {OptimizerState::master, OptimizerState::average}) {
    for (const OptimizerPiece& piece : optimizer.pieces(state)) pieces[piece.spec->name].push_back(piece);
  }
  parameters.load(device, source, [&](const Parameter& parameter, const float* local) {
    for (const OptimizerPiece& piece : pieces[parameter.spec.name])
      Parameters::upload(device, piece.values, local + piece.first);
  });
}

void load_average(Device& device, const checkpoint::Checkpoint& from, ZeroOptimizer& optimizer) {
  load(device, from, optimizer.pieces(OptimizerState::average), [&](const std::string& name) {
    const std::string path = average_folder + name;
    return from.find(path) == nullptr ? std::string() : path;
  });
}

void load_moments(Device& device, const checkpoint::Checkpoint& from, ZeroOptimizer& optimizer) {
  load(device, from, optimizer.pieces(OptimizerState::exp_avg),
       [](const std::string& name) { return "/exp_avg/transformer/" + name; });
  load(device, from, optimizer.pieces(OptimizerState::exp_avg_sq),
       [](const std::string& name) { return "/exp_avg_sq/transformer/" + name; });
}

}  // namespace wan
