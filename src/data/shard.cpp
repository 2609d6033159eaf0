#include "data/shard.hpp"

#include <algorithm>
#include <cstddef>
#include <tuple>

#include "base/error.hpp"
#include "base/text.hpp"
#include "data/stored_floats.hpp"
#include "weights/hdf5/file.hpp"

namespace wan {
namespace {

/// Numbers per row of "rows/hash": the latent's low and high half, the text's.
constexpr std::int64_t hash_words = 4;
constexpr std::int64_t text_words = 2;  ///< where the text's begin

void require_size(const char* what, std::int64_t wanted, const std::vector<float>& values) {
  if (static_cast<std::int64_t>(values.size()) == wanted) return;
  throw InternalError(cat("[", what, "] takes ", wanted, " values, got ", values.size()));
}

}  // namespace

struct Shard::State {
  explicit State(hdf5::File opened)
      : file(std::move(opened)),
        plan(read_shard_plan(file.root(), file.path())),
        states(file.root().dataset("state")),
        reject(file.root().dataset("reject")),
        hash(file.root().dataset("rows/hash")),
        null_text(file.root().dataset("null_text")),
        null_text_hash(file.root().dataset("null_text_hash")) {
    const auto rows = static_cast<std::int64_t>(plan.table.rows.size());
    states.expect(hdf5::Type::u8, {rows});
    reject.expect(hdf5::Type::u8, {rows, shard_reason_bytes});
    null_text_hash.expect(hdf5::Type::u64, {2});
    for (const std::string& name : plan.table.datasets) arrays.push_back(file.root().dataset(name));
    for (std::size_t i = 0; i < plan.table.rows.size(); ++i) check_slabs(plan.table.rows[i], i);
  }

  void check_slabs(const Row& row, std::size_t number) const {
    const hdf5::Dataset& latents = arrays[static_cast<std::size_t>(row.latent_slab.dataset)];
    const hdf5::Dataset& text = arrays[static_cast<std::size_t>(row.text_slab.dataset)];
    latents.expect(hdf5::type_of(plan.dtype),
                   {-1, row.latent.channels, row.latent.frames, row.latent.height, row.latent.width});
    text.expect(hdf5::type_of(plan.dtype), {-1, plan.text_width});
    if (row.latent_slab.offset >= latents.shape()[0] ||
        row.text_slab.offset + row.text_rows > text.shape()[0]) {
      throw DataError(file.path(), cat("row ", number, " lies outside of its datasets"));
    }
  }

  [[nodiscard]] const Row& row(std::int64_t number) const {
    return plan.table.rows[static_cast<std::size_t>(number)];
  }
  [[nodiscard]] hdf5::Dataset& latents(const Row& of) {
    return arrays[static_cast<std::size_t>(of.latent_slab.dataset)];
  }
  [[nodiscard]] hdf5::Dataset& text(const Row& of) {
    return arrays[static_cast<std::size_t>(of.text_slab.dataset)];
  }

  /// Rounds `values` and writes them at element `first`; the hash of what is stored.
  [[nodiscard]] Hash128 write_floats(hdf5::Dataset& to, std::int64_t first,
                                     const std::vector<float>& values) {
    const auto count = static_cast<std::int64_t>(values.size());
    const auto stored = to_stored(values.data(), count, plan.dtype);
    to.write(first, count, stored.data());
    return content_hash(stored.data(), count, static_cast<int>(bytes_of(plan.dtype)), 0);
  }

  void write_hash(hdf5::Dataset& to, std::int64_t first, const Hash128& value) {
    const std::uint64_t words[2] = {value.low, value.high};
    to.write(first, 2, words);
  }

  void write_state(std::int64_t number, RowState state) {
    const auto value = static_cast<std::uint8_t>(state);
    states.write(number, 1, &value);
  }

  // Declared first, so that it closes after everything opened in it.
  hdf5::File file;
  ShardPlan plan;
  hdf5::Dataset states;
  hdf5::Dataset reject;
  hdf5::Dataset hash;
  hdf5::Dataset null_text;
  hdf5::Dataset null_text_hash;
  std::vector<hdf5::Dataset> arrays;
};

Shard::Shard(std::unique_ptr<State> state) : state_(std::move(state)) {}
Shard::Shard(Shard&&) noexcept = default;
Shard& Shard::operator=(Shard&&) noexcept = default;
Shard::~Shard() = default;

Shard Shard::open_to_write(const std::string& path, std::optional<MPI_Comm> comm) {
  return Shard(std::make_unique<State>(comm ? hdf5::File::open_parallel(path, *comm, hdf5::Access::write)
                                            : hdf5::File::open(path, hdf5::Access::write)));
}

Shard Shard::open_to_read(const std::string& path) {
  return Shard(std::make_unique<State>(hdf5::File::open(path)));
}

const std::string& Shard::path() const {
  return state_->file.path();
}

const ShardPlan& Shard::plan() const {
  return state_->plan;
}

std::vector<RowState> Shard::states() const {
  std::vector<std::uint8_t> raw(static_cast<std::size_t>(rows()));
  state_->states.read(0, rows(), raw.data());
  std::vector<RowState> out;
  for (const std::uint8_t value : raw) {
    if (value > static_cast<std::uint8_t>(RowState::rejected)) {
      throw DataError(state_->file.path(), cat("a row has state ", int{value}, ", allowed: 0, 1, 2"));
    }
    out.push_back(static_cast<RowState>(value));
  }
  return out;
}

std::string Shard::reject_reason(std::int64_t row) const {
  std::string text(shard_reason_bytes, '\0');
  state_->reject.read(row * shard_reason_bytes, shard_reason_bytes, text.data());
  return text.substr(0, text.find('\0'));
}

std::pair<Hash128, Hash128> Shard::hashes(std::int64_t row) const {
  std::uint64_t words[hash_words] = {};
  state_->hash.read(row * hash_words, hash_words, words);
  return {{words[0], words[1]}, {words[2], words[3]}};
}

std::vector<bool> Shard::texts_there() const {
  std::vector<std::uint64_t> words(static_cast<std::size_t>(rows() * hash_words));
  state_->hash.read(0, rows() * hash_words, words.data());
  std::vector<bool> there;
  for (std::size_t i = text_words; i < words.size(); i += hash_words)
    there.push_back(words[i] != 0 || words[i + 1] != 0);
  return there;
}

bool Shard::null_text_there() const {
  std::uint64_t words[2] = {};
  state_->null_text_hash.read(0, 2, words);
  return words[0] != 0 || words[1] != 0;
}

void Shard::write_text(std::int64_t number, const std::vector<float>& text) {
  State& state = *state_;
  const Row& row = state.row(number);
  require_size("write_text", row.text_rows * state.plan.text_width, text);
  const Hash128 hash =
      state.write_floats(state.text(row), row.text_slab.offset * state.plan.text_width, text);
  state.write_hash(state.hash, number * hash_words + text_words, hash);
}

void Shard::write_null_text(const std::vector<float>& text) {
  State& state = *state_;
  require_size("write_null_text", state.null_text.shape().elements(), text);
  state.write_hash(state.null_text_hash, 0, state.write_floats(state.null_text, 0, text));
}

void Shard::write_latent(std::int64_t number, const std::vector<float>& latent) {
  State& state = *state_;
  const Row& row = state.row(number);
  require_size("write_latent", row.latent.elements(), latent);
  if (hashes(number).second == Hash128()) {
    throw InternalError(cat("[write_latent] row ", number, " has no text yet"));
  }
  const Hash128 hash =
      state.write_floats(state.latents(row), row.latent_slab.offset * row.latent.elements(), latent);
  state.write_hash(state.hash, number * hash_words, hash);
  state.write_state(number, RowState::done);
}

void Shard::reject_row(std::int64_t row, std::string_view reason) {
  std::string text(reason.substr(0, shard_reason_bytes));
  // A UTF-8 character is kept whole or not at all.
  if (reason.size() > text.size()) {
    while (!text.empty() && (static_cast<unsigned char>(reason[text.size()]) & 0xC0U) == 0x80U)
      text.pop_back();
  }
  text.resize(shard_reason_bytes, '\0');
  state_->reject.write(row * shard_reason_bytes, shard_reason_bytes, text.data());
  state_->write_state(row, RowState::rejected);
}

void Shard::clear_row(std::int64_t row) {
  // A row that is killed between the two is done but differs from its hashes, and is cleared once more.
  const std::uint64_t none[hash_words] = {};
  state_->hash.write(row * hash_words, hash_words, none);
  state_->write_state(row, RowState::empty);
}

bool Shard::verify_row(std::int64_t number) const {
  State& state = *state_;
  const Row& row = state.row(number);
  const std::int64_t latents = row.latent.elements();
  const std::int64_t width = state.plan.text_width;
  const auto [latent_hash, text_hash] = hashes(number);
  return read_stored(state.latents(row), row.latent_slab.offset * latents, latents).hash == latent_hash &&
         read_stored(state.text(row), row.text_slab.offset * width, row.text_rows * width).hash == text_hash;
}

TextEmbedding Shard::null_text() const {
  const hdf5::Dataset& stored = state_->null_text;
  TextEmbedding text{stored.shape()[0], stored.shape()[1], {}};
  text.values.resize(static_cast<std::size_t>(stored.shape().elements()));
  const StoredRun run = read_stored(stored, 0, stored.shape().elements());
  std::uint64_t words[2] = {};
  state_->null_text_hash.read(0, 2, words);
  if (run.hash != Hash128{words[0], words[1]}) {
    throw DataError(state_->file.path(),
                    cat("null_text: hash ", to_hex(run.hash), " instead of ", to_hex({words[0], words[1]})));
  }
  from_stored(run.bytes.data(), stored.shape().elements(), run.dtype, text.values.data());
  return text;
}

void Shard::close() {
  hdf5::File file = std::move(state_->file);
  state_.reset();
  file.close();
}

void append_finished_rows(RowTable& table, const Shard& shard) {
  const auto number_in = [](std::vector<std::string>& names, const std::string& name) {
    const auto place = std::find(names.begin(), names.end(), name) - names.begin();
    if (place == static_cast<std::ptrdiff_t>(names.size())) names.push_back(name);
    return static_cast<std::int64_t>(place);
  };
  const RowTable& own = shard.plan().table;
  const std::vector<RowState> states = shard.states();
  const auto file = [&](const SlabPlace& slab) {
    return number_in(table.files, own.files[static_cast<std::size_t>(slab.file)]);
  };
  const auto dataset = [&](const SlabPlace& slab) {
    return number_in(table.datasets, own.datasets[static_cast<std::size_t>(slab.dataset)]);
  };
  for (std::size_t i = 0; i < own.rows.size(); ++i) {
    if (states[i] != RowState::done) continue;
    Row row = own.rows[i];
    row.latent_slab = {file(row.latent_slab), dataset(row.latent_slab), row.latent_slab.offset};
    row.text_slab = {file(row.text_slab), dataset(row.text_slab), row.text_slab.offset};
    std::tie(row.latent_hash, row.text_hash) = shard.hashes(static_cast<std::int64_t>(i));
    table.rows.push_back(std::move(row));
  }
}

}  // namespace wan
