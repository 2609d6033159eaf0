#pragma once
#include <mpi.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/row_table.hpp"
#include "data/shard_plan.hpp"
#include "data/source.hpp"

namespace wan {

/// What has become of a row.
enum class RowState : std::uint8_t { empty, done, rejected };

/// A shard that is being filled or read back. A row gets its text first and its latent later, by any ranks in
/// any order, each by one; what has been written survives the process.
class Shard {
 public:
  /// Open for writing, collective over `comm` or by this process alone, or for reading by this process
  /// alone. Throws DataError for a file that is no shard of this format, NoInputError.
  [[nodiscard]] static Shard open_to_write(const std::string& path, std::optional<MPI_Comm> comm);
  [[nodiscard]] static Shard open_to_read(const std::string& path);
  Shard(Shard&&) noexcept;
  Shard& operator=(Shard&&) noexcept;
  ~Shard();

  [[nodiscard]] const std::string& path() const;
  [[nodiscard]] const ShardPlan& plan() const;
  [[nodiscard]] std::int64_t rows() const { return static_cast<std::int64_t>(plan().table.rows.size()); }
  /// As they are in the file now.
  [[nodiscard]] std::vector<RowState> states() const;
  /// The reason given to reject_row.
  [[nodiscard]] std::string reject_reason(std::int64_t row) const;
  /// Of a row that is done, as stored: {latent, text}.
  [[nodiscard]] std::pair<Hash128, Hash128> hashes(std::int64_t row) const;

  /// Whether each row's text is there.
  [[nodiscard]] std::vector<bool> texts_there() const;
  [[nodiscard]] bool null_text_there() const;

  /// Store a row's text or the empty prompt's, rounding to nearest even where the shard is bf16: data first,
  /// then its hash, which says that it is there.
  void write_text(std::int64_t row, const std::vector<float>& text);
  void write_null_text(const std::vector<float>& text);
  /// Stores a row's latent in the same way and then its state: with it the row is done. Its text must be
  /// there.
  void write_latent(std::int64_t row, const std::vector<float>& latent);
  void reject_row(std::int64_t row, std::string_view reason);
  /// Makes a row empty again, its text too, so that it is encoded anew.
  void clear_row(std::int64_t row);
  /// Reads a row that is done back and compares it with its hashes.
  [[nodiscard]] bool verify_row(std::int64_t row) const;

  /// Throws DataError if it differs from its hash.
  [[nodiscard]] TextEmbedding null_text() const;

  /// Closes with errors reported; collective after open_to_write.
  void close();

 private:
  struct State;
  explicit Shard(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Adds the rows of `shard` that are done to `table`, in order, with their hashes, and their slabs renumbered
/// for it.
void append_finished_rows(RowTable& table, const Shard& shard);

}  // namespace wan
