#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "comm/communicator.hpp"

/// Small collectives on host values. Every rank of `comm` calls them together.
namespace wan {

[[nodiscard]] std::int64_t max_over(const Communicator& comm, std::int64_t value);
[[nodiscard]] std::int64_t min_over(const Communicator& comm, std::int64_t value);
[[nodiscard]] std::int64_t sum_over(const Communicator& comm, std::int64_t value);
[[nodiscard]] double max_over(const Communicator& comm, double value);
/// Added in rank order in fp64.
[[nodiscard]] double sum_over(const Communicator& comm, double value);

/// Every rank's text, by rank, on all ranks.
[[nodiscard]] std::vector<std::string> gather_texts(const Communicator& comm, std::string_view text);
/// Rank `root`'s text on all ranks.
[[nodiscard]] std::string broadcast_text(const Communicator& comm, std::string_view text, int root = 0);

/// Throws ConfigError with `key` on all ranks when they do not hold the same text, naming the ranks that
/// differ from rank 0 and their hosts.
void require_agreement(const Communicator& comm, const std::string& key, std::string_view text);

/// How something went on one rank, or on the worst of all.
struct Outcome {
  ExitCode code = ExitCode::done;
  std::string message;
  int rank = -1;
  std::string host;
  [[nodiscard]] bool good() const { return code == ExitCode::done; }
};

/// The first bad outcome in rank order (a real cause before CommError, which is what the other ranks see), on
/// all ranks; good if all are.
[[nodiscard]] Outcome worst_of(const Communicator& comm, const Outcome& mine);

/// What an exception means: an Error's own code, ExitCode::internal for anything else. Call inside a catch
/// block.
[[nodiscard]] Outcome outcome_of_exception();

/// Runs `body` on every rank; if it throws on any, returns that outcome on all of them. `body` must not
/// communicate over `comm` after a point where only some ranks can throw.
[[nodiscard]] Outcome try_together(const Communicator& comm, const std::function<void()>& body);

/// A failure that all ranks know of.
struct SharedError : Error {
  explicit SharedError(const Outcome& shared) : Error(shared.code, shared.message), outcome(shared) {}
  Outcome outcome;
};

/// As try_together, but a failure is thrown on all ranks, as SharedError.
void do_together(const Communicator& comm, const std::function<void()>& body);

/// This machine's name.
[[nodiscard]] std::string host_name();

}  // namespace wan
