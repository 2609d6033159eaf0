#include "model/dit/pack_buffers.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {
namespace {

void require_room(const char* what, std::int64_t found, std::int64_t allowed) {
  if (found > allowed)
    throw Error(ExitCode::data, cat("[pack] ", found, " ", what, "; memory is planned for ", allowed));
}

}  // namespace

PackBuffers::PackBuffers(Device& device, const PackCapacity& capacity, std::int64_t row_multiple)
    : device_(device),
      capacity_{rounded_up(capacity.tokens, row_multiple), rounded_up(capacity.text_rows, row_multiple),
                capacity.samples},
      device_timestep_(device, DType::f32, {capacity_.samples}),
      device_row_index_(device, DType::i32, {capacity_.tokens}),
      device_position_(device, DType::i32, {capacity_.tokens, 3}),
      staging_(device, device_timestep_.view.bytes() + device_row_index_.view.bytes() +
                           device_position_.view.bytes()) {}

PackView PackBuffers::load(const Pack& pack) {
  require_room("samples", static_cast<std::int64_t>(pack.samples().size()), capacity_.samples);
  require_room("tokens", pack.rows(), capacity_.tokens);
  require_room("text rows", pack.text_rows(), capacity_.text_rows);
  staging_.begin();
  auto* const timestep = staging_.at<float>(0);
  auto* const row_index = staging_.at<std::int32_t>(device_timestep_.view.bytes());
  std::int32_t* const position = row_index + capacity_.tokens;
  std::int32_t sample_number = 0;
  std::int64_t row = 0;
  for (const PackSample& sample : pack.samples()) {
    timestep[sample_number] = sample.timestep;
    for (std::int32_t f = 0; f < sample.grid.frames; ++f) {
      for (std::int32_t i = 0; i < sample.grid.rows; ++i) {
        for (std::int32_t j = 0; j < sample.grid.columns; ++j, ++row) {
          row_index[row] = sample_number;
          position[3 * row] = f;
          position[3 * row + 1] = i;
          position[3 * row + 2] = j;
        }
      }
    }
    ++sample_number;
  }
  std::fill(row_index + row, row_index + pack.rows(), sample_number - 1);
  std::fill(position + 3 * row, position + 3 * pack.rows(), 0);

  PackView view;
  view.pack = &pack;
  view.timestep = Tensor(device_timestep_.view.data, DType::f32, {sample_number});
  view.row_index = Tensor(device_row_index_.view.data, DType::i32, {pack.rows()});
  view.position = Tensor(device_position_.view.data, DType::i32, {pack.rows(), 3});
  device_.copy(view.timestep.data, timestep, view.timestep.bytes());
  device_.copy(view.row_index.data, row_index, view.row_index.bytes());
  device_.copy(view.position.data, position, view.position.bytes());
  staging_.end();
  return view;
}

PackView planned_view(const Pack& pack, Arena& measuring) {
  const auto samples = static_cast<std::int64_t>(pack.samples().size());
  return {&pack, measuring.allocate(DType::f32, {samples}), measuring.allocate(DType::i32, {pack.rows()}),
          measuring.allocate(DType::i32, {pack.rows(), 3})};
}

}  // namespace wan
